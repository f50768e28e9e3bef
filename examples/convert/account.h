// What a conversion tells of itself: results on stdout, warnings and notices on stderr.
#ifndef QLITE_EXAMPLES_CONVERT_ACCOUNT_H_
#define QLITE_EXAMPLES_CONVERT_ACCOUNT_H_

#include <string>
#include <vector>

#include "qlite/loss_target.h"
#include "qlite/quantizer.h"
#include "qlite/sensitivity.h"

namespace qlite::cli {

void Say(const std::string& line);
void Warn(const std::string& line);

// Steps, warnings, what stayed float and why, times.
void PrintAccount(const QuantizationResult& result);
// The loss, what was changed for it, and the layers that got more bits.
void PrintTarget(const TargetedQuantization& tuned);
// The layers, the most sensitive first.
void PrintSensitivity(const std::vector<LayerSensitivity>& layers);

}  // namespace qlite::cli

#endif  // QLITE_EXAMPLES_CONVERT_ACCOUNT_H_
