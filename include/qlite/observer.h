// Observers watch the values of one tensor over all samples and propose the range to quantize it with.
//
// A host adds its own by name:
//   ObserverRegistry registry = ObserverRegistry::Default();
//   registry.Register("MY_METHOD", [] { return std::make_unique<MyObserver>(); });
//   CalibratorOptions options{.method = "MY_METHOD", .registry = &registry};
#ifndef QLITE_OBSERVER_H_
#define QLITE_OBSERVER_H_

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "qlite/factory_registry.h"

namespace qlite {

// The real interval that the integer grid is to cover.
struct ObservedRange {
  float min = 0;
  float max = 0;
};

// State must not grow with the number of samples, and must not depend on the order of samples or of merges: the
// Calibrator spreads samples over threads, each with its own observers, merges them in any order, and promises the same
// bits for any number of threads. Integer counts, minima and maxima, and sums in fixed point have that property.
class Observer {
 public:
  virtual ~Observer() = default;
  // The values of the tensor for one sample, all of them, in the order they lie in memory. There is one at least, and
  // they are finite. `range`: the least and the greatest of them. Empty where needs_values() is false.
  virtual absl::Status Observe(std::span<const float> values, ObservedRange range) = 0;
  // Adds the state of another observer of the same kind.
  virtual absl::Status Merge(const Observer& other) = 0;
  // The state as bytes, equal for equal states, and back. Load must survive any bytes.
  virtual std::string Save() const = 0;
  virtual absl::Status Load(std::string_view bytes) = 0;
  // Whether Observe looks at the values, not only at their range: without them, a calibration keeps less in memory. The
  // same for all observers of a method.
  virtual bool needs_values() const { return true; }
  // The range for `bits`-bit integers. kFailedPrecondition where nothing was observed. Called on any thread.
  virtual absl::StatusOr<ObservedRange> Compute(int bits) const = 0;
};

using ObserverFactory = FactoryRegistry<Observer>::Factory;

// Calibration methods by name. A value: copy the default one and add to it.
class ObserverRegistry : public FactoryRegistry<Observer> {
 public:
  // MAX_MIN, KL and REMOVAL_OUTLIER (also spelled RemovalOutlier).
  static ObserverRegistry Default();

 private:
  using FactoryRegistry::FactoryRegistry;
};

}  // namespace qlite

#endif  // QLITE_OBSERVER_H_
