// The preprocessing step STANDARDIZE: makes mean and deviation of each channel 0 and 1.
#ifndef QLITE_CALIB_STANDARDIZE_H_
#define QLITE_CALIB_STANDARDIZE_H_

#include <memory>

#include "qlite/preprocessor.h"

namespace qlite::calib {

std::unique_ptr<Preprocessor> MakeStandardize();

}  // namespace qlite::calib

#endif  // QLITE_CALIB_STANDARDIZE_H_
