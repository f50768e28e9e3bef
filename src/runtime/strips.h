// Neighbouring steps that pass large values on become one, which makes strips of rows of its result: what lies between
// is never whole, but some rows in memory of the worker that the second-level cache keeps. Rows have the bits that the
// separate steps give them.
#ifndef QLITE_RUNTIME_STRIPS_H_
#define QLITE_RUNTIME_STRIPS_H_

#include "runtime/program.h"

namespace qlite {

// Joins steps of a complete program, before its memory is planned, where that pays with so many threads. A value with a
// TapPoint stays whole unless it can be told in parts (EarlyTapOptions::keep_values).
void JoinStrips(Program& program, int threads);

}  // namespace qlite

#endif  // QLITE_RUNTIME_STRIPS_H_
