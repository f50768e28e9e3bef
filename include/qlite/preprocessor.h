// Preprocessing steps change samples before the network sees them: what a model expects beyond the options of a data
// set.
//
// A host adds its own by name, as it does observers:
//   PreprocessorRegistry registry = PreprocessorRegistry::Default();
//   registry.Register("MY_STEP", [] { return std::make_unique<MyStep>(); });
//   auto step = registry.Make("MY_STEP");
//   auto data = PreprocessDataSet(std::move(pictures), inputs, "MY_STEP", *std::move(step));
#ifndef QLITE_PREPROCESSOR_H_
#define QLITE_PREPROCESSOR_H_

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "qlite/context.h"
#include "qlite/data_set.h"
#include "qlite/factory_registry.h"
#include "qlite/tensor.h"

namespace qlite {

// The state is settings, and what a step that learns has learnt from samples. Learning must not depend on the order of
// samples or merges, as with observers: FitPreprocessor spreads samples over threads and promises the same bits for any
// number.
class Preprocessor {
 public:
  virtual ~Preprocessor() = default;
  // Changes one sample in place: a row-major buffer for each input. Called from several threads at once.
  virtual absl::Status Apply(std::span<const MutableTensorView> inputs) const = 0;
  // The state as bytes, equal for equal states, and back. Load must survive any bytes.
  virtual std::string Save() const = 0;
  virtual absl::Status Load(std::string_view bytes) = 0;
  // Takes one sample in, for steps that learn. kUnimplemented for others.
  virtual absl::Status Observe(std::span<const MutableTensorView> inputs);
  // Adds what another step of the same kind has learnt.
  virtual absl::Status Merge(const Preprocessor& other);
};

using PreprocessorFactory = FactoryRegistry<Preprocessor>::Factory;

// Steps by name. A value: copy the default one and add to it.
class PreprocessorRegistry : public FactoryRegistry<Preprocessor> {
 public:
  // STANDARDIZE: learns mean and deviation of each channel (second dimension; one channel for rank < 2) of the float32
  // inputs over the samples and makes them 0 and 1. A channel that is constant keeps its deviation.
  static PreprocessorRegistry Default();

 private:
  using FactoryRegistry::FactoryRegistry;
};

// The source's samples with the step applied to each. `name` and the step's state are part of the fingerprint.
absl::StatusOr<std::unique_ptr<DataSet>> PreprocessDataSet(std::shared_ptr<const DataSet> source, std::string name,
                                                           std::shared_ptr<const Preprocessor> step);

// A step of that name which has learnt from all samples, spread over the context's threads. `inputs`: what the samples
// are made for.
absl::StatusOr<std::unique_ptr<Preprocessor>> FitPreprocessor(const Context& context,
                                                              const PreprocessorRegistry& registry,
                                                              std::string_view name, const DataSet& data,
                                                              const std::vector<InputSpec>& inputs);

}  // namespace qlite

#endif  // QLITE_PREPROCESSOR_H_
