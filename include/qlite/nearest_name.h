// "Did you mean": the known name nearest to a misspelt one.
#ifndef QLITE_NEAREST_NAME_H_
#define QLITE_NEAREST_NAME_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qlite {

// The name with the fewest letters inserted, removed, replaced or swapped with a neighbour, letter case aside; empty
// where even that takes more than a third of the letters. The first one on ties.
std::string_view NearestName(std::string_view wanted, std::span<const std::string_view> known);

// "did you mean 'x'? Known: x, y, z", or only the list where nothing is near; a long list is left out.
std::string DidYouMean(std::string_view wanted, std::span<const std::string_view> known);
std::string DidYouMean(std::string_view wanted, const std::vector<std::string>& known);

}  // namespace qlite

#endif  // QLITE_NEAREST_NAME_H_
