// The end of a range that has none.
#ifndef QLITE_CORE_INFINITY_H_
#define QLITE_CORE_INFINITY_H_

#include <limits>

namespace qlite {

inline constexpr float kInfinity = std::numeric_limits<float>::infinity();

}  // namespace qlite

#endif  // QLITE_CORE_INFINITY_H_
