/* An observer of one's own, in C: the mean over samples of each sample's smallest and largest value. One odd picture
 * among a hundred then moves the range by a hundredth of what it moves MAX_MIN. */
#ifndef QLITE_EXAMPLES_C_HOST_MEAN_EXTREMES_H_
#define QLITE_EXAMPLES_C_HOST_MEAN_EXTREMES_H_

#include "qlite.h"

extern const qlite_observer_type mean_extremes;

#endif /* QLITE_EXAMPLES_C_HOST_MEAN_EXTREMES_H_ */
