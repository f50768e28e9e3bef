#include "capi/loss_target.h"

#include "capi/quantization_result.h"
#include "capi/sensitivity.h"

namespace qlite::capi {
namespace {

static_assert(static_cast<int>(LossMeasure::kCosine) == QLITE_LOSS_COSINE &&
              static_cast<int>(LossMeasure::kSnr) == QLITE_LOSS_SNR &&
              static_cast<int>(LossMeasure::kTop1) == QLITE_LOSS_TOP1);

qlite_loss_target DefaultLossTarget() {
  const Goal goal;
  return {.struct_size = sizeof(qlite_loss_target),
          .bound = goal.target.bound,
          .samples = goal.options.samples,
          .sensitivity_samples = goal.options.sensitivity_samples,
          .measure = static_cast<qlite_loss_measure>(goal.target.measure),
          .fix = goal.options.fix};
}

const AppliedRemedy& AppliedAt(const ResultBody& body, size_t index) {
  const std::vector<AppliedRemedy>& applied = body.Target().applied;
  return applied[Checked(index, applied.size(), "fix")];
}

}  // namespace

Goal ReadTarget(const qlite_loss_target* host) {
  const qlite_loss_target read = ReadOptions(host, DefaultLossTarget(), "the loss target");
  if (read.measure < QLITE_LOSS_COSINE || read.measure > QLITE_LOSS_TOP1)
    Refuse("measure " + std::to_string(read.measure) + " is unknown");
  auto resume = Optional<TableBody>(read.resume, "resume");
  return {.target = {.measure = static_cast<LossMeasure>(read.measure), .bound = read.bound},
          .options = {.samples = read.samples,
                      .sensitivity_samples = read.sensitivity_samples,
                      .fix = read.fix != 0,
                      .resume = resume ? &resume->table : nullptr},
          .resume = std::move(resume)};
}

}  // namespace qlite::capi

using namespace qlite::capi;

qlite_status qlite_loss_target_init(qlite_loss_target* target, size_t struct_size) {
  return InitStruct(target, struct_size, DefaultLossTarget());
}

qlite_status qlite_quantization_result_get_target(const qlite_quantization_result* result,
                                                  qlite_target_outcome* outcome) {
  return Call<ResultBody>(result, [&](ResultBody& body) {
    const qlite::TargetedQuantization& target = body.Target();
    WriteStruct(outcome, {.first_loss = AsHostLoss(target.first_loss),
                          .loss = AsHostLoss(target.loss),
                          .fix_count = target.applied.size(),
                          .raised_count = target.raised.size(),
                          .met = target.met});
  });
}

qlite_status qlite_quantization_result_get_fix(const qlite_quantization_result* result, size_t index,
                                               const char** fix) {
  return Call<ResultBody>(result,
                          [&](ResultBody& body) { *Needed(fix, "fix") = AppliedAt(body, index).change.c_str(); });
}

qlite_status qlite_quantization_result_get_fix_gain(const qlite_quantization_result* result, size_t index,
                                                    double* expected_db, double* before_db, double* after_db) {
  return Call<ResultBody>(result, [&](ResultBody& body) {
    const qlite::AppliedRemedy& applied = AppliedAt(body, index);
    *Needed(expected_db, "expected_db") = applied.expected_db;
    *Needed(before_db, "before_db") = applied.before_db;
    *Needed(after_db, "after_db") = applied.after_db;
  });
}

qlite_status qlite_quantization_result_get_raised(const qlite_quantization_result* result, size_t index,
                                                  const char** node, const char** op, int32_t* bits) {
  return Call<ResultBody>(result, [&](ResultBody& body) {
    const std::vector<qlite::RaisedLayer>& raised = body.Target().raised;
    const qlite::RaisedLayer& layer = raised[Checked(index, raised.size(), "raised layer")];
    *Needed(node, "node") = layer.node.c_str();
    *Needed(op, "op") = layer.op.c_str();
    *Needed(bits, "bits") = layer.bits;
  });
}

qlite_status qlite_quantization_result_sensitivity(const qlite_quantization_result* result,
                                                   qlite_sensitivity** sensitivity) {
  return Make<ResultBody>(result, sensitivity, [](ResultBody& body) {
    body.Target();
    return body.sensitivity;
  });
}
