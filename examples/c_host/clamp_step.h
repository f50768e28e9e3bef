/* A preprocessing step of one's own, in C: limits float32 samples to a range. It starts with [-1, 1]; it can learn the
 * range of the samples instead; its state is the two bounds. */
#ifndef QLITE_EXAMPLES_C_HOST_CLAMP_STEP_H_
#define QLITE_EXAMPLES_C_HOST_CLAMP_STEP_H_

#include "qlite.h"

extern const qlite_preprocessor_type clamp_step;

#endif /* QLITE_EXAMPLES_C_HOST_CLAMP_STEP_H_ */
