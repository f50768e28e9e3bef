#include "benchmark/image_accuracy.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "benchmark/model_runner.h"
#include "common/progress_line.h"
#include "common/text.h"
#include "qlite/calibrator.h"

namespace qlite::cli {
namespace {

// One model on every thread.
class ModelPool {
 public:
  static absl::StatusOr<ModelPool> Make(const Context& serial, const std::string& path,
                                        const BenchmarkRequest& request) {
    ModelPool pool;
    absl::StatusOr<LoadedModel> model = LoadForBenchmark(serial, path, request);
    if (!model.ok()) return model.status();
    pool.inputs_ = std::move(model->inputs);
    pool.sessions_.push_back(std::move(model->session));
    for (int64_t i = 1; i < request.num_threads; ++i) {
      auto fork = pool.sessions_[0]->Fork(serial);
      if (!fork.ok()) return fork.status();
      pool.sessions_.push_back(*std::move(fork));
    }
    if (pool.sessions_[0]->output_count() == 0 || pool.sessions_[0]->output(0).type != ElementType::kFloat32) {
      return absl::InvalidArgumentError(Join({path, ": its first output is not float32 class scores"}));
    }
    return pool;
  }

  const absl::StatusOr<std::vector<InputSpec>>& inputs() const { return inputs_; }
  Session& session(int worker) const { return *sessions_[static_cast<size_t>(worker)]; }

 private:
  absl::StatusOr<std::vector<InputSpec>> inputs_;
  std::vector<std::unique_ptr<Session>> sessions_;
};

// What one picture gave.
struct PictureResult {
  bool top1 = false, top5 = false, other_top1 = false, other_top5 = false;
  OutputDifference difference;
};

// The label is among the `k` largest scores; equal scores rank by index.
bool InFirst(std::span<const float> scores, int64_t label, int k) {
  const auto index = static_cast<size_t>(label);
  int before = 0;
  for (size_t i = 0; i < scores.size(); ++i) {
    before += scores[i] > scores[index] || (scores[i] == scores[index] && i < index) ? 1 : 0;
  }
  return before < k;
}

class Evaluation {
 public:
  Evaluation(const DataSet& data, const std::vector<int64_t>& labels, const ModelPool& model, const ModelPool* other)
      : data_(data), labels_(labels), model_(model), other_(other), results_(labels.size()) {}

  absl::Status Run(Executor& executor) {
    ProgressLine progress;
    const auto total = static_cast<int64_t>(labels_.size());
    executor.ParallelFor(executor.concurrency(), [&](int64_t, int64_t, int worker) {
      for (int64_t i = next_++; i < total && !failed_ && !Interrupted(); i = next_++) {
        const absl::Status status = Picture(i, worker);
        const std::lock_guard<std::mutex> lock(mutex_);
        if (!status.ok()) Fail(status);
        progress.Show({"pictures", ++done_, total});
      }
    });
    return Interrupted() ? absl::CancelledError("interrupted") : status_;
  }

  ImageAccuracy Sum() const {
    ImageAccuracy sum;
    sum.images = static_cast<int64_t>(results_.size());
    ClassCounts other;
    OutputDifference outputs;
    for (const PictureResult& picture : results_) {
      sum.model.top1 += picture.top1;
      sum.model.top5 += picture.top5;
      other.top1 += picture.other_top1;
      other.top5 += picture.other_top5;
      outputs.Merge(picture.difference);
    }
    if (other_ == nullptr) return sum;
    sum.other = other;
    sum.outputs = outputs;
    sum.top1_difference = Difference();
    return sum;
  }

 private:
  absl::Status Picture(int64_t index, int worker) {
    PictureResult& result = results_[static_cast<size_t>(index)];
    Session& session = model_.session(worker);
    const int64_t label = labels_[static_cast<size_t>(index)];
    const MutableTensorView input = session.input(0);
    if (absl::Status status = data_.Read(index, {&input, 1}); !status.ok()) return status;
    if (absl::Status status = session.Run(); !status.ok()) return status;
    const std::span<const float> scores = session.output(0).as<float>();
    if (label < 0 || label >= static_cast<int64_t>(scores.size())) {
      return absl::InvalidArgumentError(Join({data_.Describe(index), ": class ", std::to_string(label), " of ",
                                              std::to_string(scores.size()), "; is --labelOffset right?"}));
    }
    result.top1 = InFirst(scores, label, 1);
    result.top5 = InFirst(scores, label, 5);
    return other_ == nullptr ? absl::OkStatus() : Other(index, worker, label, scores, result);
  }

  absl::Status Other(int64_t index, int worker, int64_t label, std::span<const float> scores, PictureResult& result) {
    Session& session = other_->session(worker);
    const MutableTensorView input = session.input(0);
    if (absl::Status status = data_.Read(index, {&input, 1}); !status.ok()) return status;
    if (absl::Status status = session.Run(); !status.ok()) return status;
    const std::span<const float> reference = session.output(0).as<float>();
    if (reference.size() != scores.size()) {
      return absl::InvalidArgumentError(Join({"the models have ", std::to_string(scores.size()), " and ",
                                              std::to_string(reference.size()), " classes and cannot be compared"}));
    }
    result.other_top1 = InFirst(reference, label, 1);
    result.other_top5 = InFirst(reference, label, 5);
    result.difference.Add(reference, scores);
    return absl::OkStatus();
  }

  void Fail(const absl::Status& status) {
    if (status_.ok()) status_ = status;
    failed_ = true;
  }

  AccuracyDifference Difference() const {
    const auto n = static_cast<double>(results_.size());
    double sum = 0, squares = 0;
    for (const PictureResult& picture : results_) {
      const int d = static_cast<int>(picture.top1) - static_cast<int>(picture.other_top1);
      sum += d;
      squares += d * d;
    }
    if (n < 2) return {n > 0 ? sum / n : 0, 1};
    constexpr double kNormal95 = 1.959963984540054;
    const double mean = sum / n, variance = (squares - n * mean * mean) / (n - 1);
    return {mean, kNormal95 * std::sqrt(std::max(variance, 0.0) / n)};
  }

  const DataSet& data_;
  const std::vector<int64_t>& labels_;
  const ModelPool& model_;
  const ModelPool* other_;
  std::vector<PictureResult> results_;
  std::atomic<int64_t> next_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  int64_t done_ = 0;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<ImageAccuracy> MeasureImageAccuracy(const BenchmarkRequest& request) {
  absl::StatusOr<Context> serial = MakeBenchmarkContext(request, 1);
  if (!serial.ok()) return serial.status();
  absl::StatusOr<LabelledImages> labelled = ReadLabels(request.label_file, request.image_folder, request.label_offset);
  if (!labelled.ok()) return labelled.status();
  if (request.image_count > 0 && static_cast<size_t>(request.image_count) < labelled->files.size()) {
    labelled->files.resize(static_cast<size_t>(request.image_count));
    labelled->labels.resize(static_cast<size_t>(request.image_count));
  }
  absl::StatusOr<ModelPool> model = ModelPool::Make(*serial, request.model_file, request);
  if (!model.ok()) return model.status();
  const absl::StatusOr<std::vector<InputSpec>>& inputs = model->inputs();
  if (!inputs.ok()) return inputs.status();
  if (inputs->size() != 1) {
    return absl::InvalidArgumentError(Join({request.model_file, ": --imagePath needs a model with one input"}));
  }
  auto data = MakeImageDataSet((*inputs)[0], labelled->files, request.data.image, serial->limits());
  if (!data.ok()) return data.status();
  std::unique_ptr<ModelPool> other;
  if (!request.compare_model.empty()) {
    absl::StatusOr<ModelPool> made = ModelPool::Make(*serial, request.compare_model, request.ForOther());
    if (!made.ok()) return made.status();
    other = std::make_unique<ModelPool>(*std::move(made));
    if (other->session(0).input_count() != 1 || other->session(0).input(0).bytes != model->session(0).input(0).bytes) {
      return absl::InvalidArgumentError("the two models have inputs of different sizes");
    }
  }
  Evaluation evaluation(**data, labelled->labels, *model, other.get());
  CatchInterrupts();
  const std::shared_ptr<Executor> pool = MakeThreadPool(static_cast<int>(request.num_threads));
  if (absl::Status status = evaluation.Run(*pool); !status.ok()) return status;
  ImageAccuracy accuracy = evaluation.Sum();
  accuracy.float16 = model->session(0).float16();
  return accuracy;
}

}  // namespace qlite::cli
