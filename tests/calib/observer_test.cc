#include "qlite/observer.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "calib/exact_sum.h"
#include "calib/magnitude_histogram.h"

namespace qlite {
namespace {

const std::vector<std::string> kMethods = {"MAX_MIN", "KL", "REMOVAL_OUTLIER"};

std::unique_ptr<Observer> Make(const std::string& method) { return *ObserverRegistry::Default().Make(method); }

// Samples of very different sizes and scales: zeros, negatives, tiny and large values, a lone outlier.
std::vector<std::vector<float>> MakeSamples(unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<std::vector<float>> samples;
  for (const size_t size : {1u, 7u, 64u, 1000u, 30011u, 70001u}) {
    std::vector<float> values(size);
    const float scale = std::ldexp(1.0f, static_cast<int>(random() % 20) - 10);
    for (float& x : values) x = normal(random) * scale;
    for (size_t i = 0; i < size; i += 3) values[i] = random() % 2 == 0 ? 0.0f : -0.0f;
    samples.push_back(values);
  }
  samples.push_back({1e-38f, -1e-42f, 0.0f});
  samples.push_back({-1234.5f});
  return samples;
}

absl::Status Observe(Observer& observer, const std::vector<float>& values) {
  const auto [min, max] = std::minmax_element(values.begin(), values.end());
  return observer.Observe(values, {*min, *max});
}

std::string StateOf(const std::string& method, const std::vector<std::vector<float>>& samples) {
  const auto observer = Make(method);
  for (const auto& sample : samples) REQUIRE(Observe(*observer, sample).ok());
  return observer->Save();
}

TEST_CASE("an observer's state does not depend on the order of samples") {
  for (const std::string& method : kMethods) {
    std::vector<std::vector<float>> samples = MakeSamples(1);
    const std::string state = StateOf(method, samples);
    std::mt19937 random(5);
    for (int i = 0; i < 8; ++i) {
      std::shuffle(samples.begin(), samples.end(), random);
      for (auto& sample : samples) {
        // Large tensors are sampled by their place in memory, which is the same on every machine.
        if (sample.size() <= calib::MagnitudeHistogram::kDenseValues)
          std::shuffle(sample.begin(), sample.end(), random);
      }
      CHECK(StateOf(method, samples) == state);
    }
  }
}

TEST_CASE("merging is associative and commutative, and equal to observing everything") {
  for (const std::string& method : kMethods) {
    const auto samples = MakeSamples(2);
    const std::string whole = StateOf(method, samples);
    for (int seed = 0; seed < 8; ++seed) {
      std::mt19937 random(static_cast<unsigned>(seed));
      std::vector<std::unique_ptr<Observer>> parts;
      for (int i = 0; i < 4; ++i) parts.push_back(Make(method));
      for (const auto& sample : samples) REQUIRE(Observe(*parts[random() % 4], sample).ok());
      while (parts.size() > 1) {
        const size_t into = random() % parts.size();
        std::swap(parts[into], parts.back());
        REQUIRE(parts[random() % (parts.size() - 1)]->Merge(*parts.back()).ok());
        parts.pop_back();
      }
      CHECK(parts[0]->Save() == whole);
    }
  }
}

TEST_CASE("states can be saved and loaded, and damaged ones are refused") {
  for (const std::string& method : kMethods) {
    const std::string state = StateOf(method, MakeSamples(3));
    const auto loaded = Make(method);
    REQUIRE(loaded->Load(state).ok());
    CHECK(loaded->Save() == state);
    for (size_t size = 0; size < state.size(); ++size) {
      REQUIRE_FALSE(loaded->Load(std::string_view(state).substr(0, size)).ok());
    }
    CHECK_FALSE(loaded->Load(state + '\0').ok());
    // A refused state changes nothing; an accepted one is usable.
    CHECK(loaded->Save() == state);
    std::mt19937 random(9);
    for (int i = 0; i < 3000; ++i) {
      std::string damaged = state;
      for (int j = 0; j < 3; ++j) damaged[random() % std::min<size_t>(state.size(), 200)] = static_cast<char>(random());
      const auto victim = Make(method);
      if (!victim->Load(damaged).ok()) continue;
      CHECK(victim->Save() == damaged);
      const auto range = victim->Compute(8);
      REQUIRE(range.ok());
      CHECK(range->min <= range->max);
      CHECK(victim->Merge(*loaded).ok());
    }
    const std::string empty = Make(method)->Save();
    CHECK(loaded->Load(empty).ok());
    CHECK(loaded->Save() == empty);
    CHECK(loaded->Compute(8).status().code() == absl::StatusCode::kFailedPrecondition);
  }
}

TEST_CASE("observers of different kinds do not merge, and bits have bounds") {
  for (const std::string& a : kMethods) {
    for (const std::string& b : kMethods) CHECK(Make(a)->Merge(*Make(b)).ok() == (a == b));
    const auto observer = Make(a);
    REQUIRE(Observe(*observer, std::vector<float>{1, 2}).ok());
    for (const int bits : {-1, 0, 1, 17, 64}) CHECK_FALSE(observer->Compute(bits).ok());
    for (const int bits : {2, 4, 8, 16}) CHECK(observer->Compute(bits).ok());
  }
}

TEST_CASE("MAX_MIN gives the extremes") {
  const auto observer = Make("MAX_MIN");
  REQUIRE(Observe(*observer, std::vector<float>{3, -1, 2}).ok());
  REQUIRE(Observe(*observer, std::vector<float>{-4}).ok());
  CHECK(observer->Compute(8)->min == -4);
  CHECK(observer->Compute(8)->max == 3);
}

TEST_CASE("REMOVAL_OUTLIER gives the mean of the sorted samples' tails") {
  std::mt19937 random(11);
  std::normal_distribution<float> normal;
  for (const size_t size : {1u, 2u, 9999u, 10000u, 10001u, 123457u}) {
    const auto observer = Make("REMOVAL_OUTLIER");
    double low = 0, high = 0;
    for (int kind = 0; kind < 6; ++kind) {
      std::vector<float> values(size);
      for (float& x : values) x = normal(random);
      if (kind == 1) std::sort(values.begin(), values.end());
      if (kind == 2) std::sort(values.begin(), values.end(), std::greater<float>());
      if (kind == 3) std::for_each(values.begin(), values.end(), [](float& x) { x = std::clamp(x, 0.0f, 1.0f); });
      if (kind == 4) std::fill(values.begin(), values.end(), -2.0f);
      if (kind == 5) std::for_each(values.begin(), values.end(), [](float& x) { x = std::round(x * 3); });
      REQUIRE(Observe(*observer, values).ok());
      std::sort(values.begin(), values.end());
      low += values[size / 10000];
      high += values[size * 9999 / 10000];
    }
    const auto range = observer->Compute(8);
    REQUIRE(range.ok());
    CHECK(range->min == Approx(low / 6).epsilon(1e-6).margin(1e-7));
    CHECK(range->max == Approx(high / 6).epsilon(1e-6).margin(1e-7));
  }
}

TEST_CASE("an exact sum forgets nothing") {
  calib::ExactSum sum;
  for (const float x : {1e38f, 1.0f, 1e-45f, -1e38f, 3e38f, 3e38f, -3e38f, -3e38f, 2.0f}) sum.Add(x);
  CHECK(sum.Mean(3) == 1.0f);
  sum.Add(-3.0f);
  CHECK(sum.Mean(1) == 1e-45f);
  for (int i = 0; i < 1000; ++i) sum.Add(-0.1f);
  CHECK(sum.Mean(1000) == -0.1f);
}

void AddTo(calib::MagnitudeHistogram& histogram, const std::vector<float>& values) {
  const auto [min, max] = std::minmax_element(values.begin(), values.end());
  histogram.Add(values, {*min, *max});
}

TEST_CASE("the histogram counts by magnitude in bins of a power of two") {
  calib::MagnitudeHistogram histogram;
  AddTo(histogram, {0.0f, 0.5f, -0.5f, 1.0f, 3.5f, -2.0f, -0.0f});
  // 3.5 needs bins up to 4: 4096 of 2^-10.
  CHECK(histogram.bin_width() == std::ldexp(1.0, -10));
  const auto positive = histogram.PositiveCounts(), negative = histogram.NegativeCounts();
  REQUIRE(positive.size() == 3585);
  REQUIRE(negative.size() == 2049);
  CHECK(positive[0] == 0);
  CHECK(positive[512] == 1);
  CHECK(positive[1024] == 1);
  CHECK(positive[3584] == 1);
  CHECK(negative[512] == 1);
  CHECK(negative[2048] == 1);
  AddTo(histogram, {4.0f});
  CHECK(histogram.bin_width() == std::ldexp(1.0, -9));
  CHECK(histogram.PositiveCounts()[1792] == 1);
  AddTo(histogram, {3e38f});
  CHECK(histogram.PositiveCounts()[0] == 4);
}

TEST_CASE("a histogram whose extremes were not counted is saved and loaded") {
  std::vector<float> values(2 * calib::MagnitudeHistogram::kDenseValues, 0.5f);
  values[calib::MagnitudeHistogram::kRunValues] = 9.0f;  // behind the first counted run
  values[calib::MagnitudeHistogram::kRunValues + 1] = -7.0f;
  for (const std::string& method : kMethods) {
    const std::string state = StateOf(method, {values});
    const auto loaded = Make(method);
    CHECK(loaded->Load(state).ok());
    CHECK(loaded->Save() == state);
    CHECK(loaded->Compute(8).ok());
  }
}

// What a program outside the library might add: the mean magnitude, in whole 2^-20.
class MeanMagnitude : public Observer {
 public:
  absl::Status Observe(std::span<const float> values, ObservedRange) override {
    for (const float x : values) sum_ += std::llround(std::ldexp(std::abs(x), 20));
    count_ += static_cast<int64_t>(values.size());
    return absl::OkStatus();
  }
  absl::Status Merge(const Observer& other) override {
    sum_ += static_cast<const MeanMagnitude&>(other).sum_;
    count_ += static_cast<const MeanMagnitude&>(other).count_;
    return absl::OkStatus();
  }
  std::string Save() const override { return std::to_string(sum_) + " " + std::to_string(count_); }
  absl::Status Load(std::string_view) override { return absl::UnimplementedError("not needed here"); }
  absl::StatusOr<ObservedRange> Compute(int) const override {
    const float mean = static_cast<float>(std::ldexp(static_cast<double>(sum_) / static_cast<double>(count_), -20));
    return ObservedRange{-mean, mean};
  }

 private:
  int64_t sum_ = 0, count_ = 0;
};

TEST_CASE("programs add observers by name") {
  ObserverRegistry registry = ObserverRegistry::Default();
  REQUIRE(registry.Register("MEAN", [] { return std::make_unique<MeanMagnitude>(); }).ok());
  CHECK(registry.Register("MEAN", [] { return std::make_unique<MeanMagnitude>(); }).code() ==
        absl::StatusCode::kAlreadyExists);
  CHECK_FALSE(registry.Register("KL", [] { return std::make_unique<MeanMagnitude>(); }).ok());
  CHECK_FALSE(registry.Register("NULL", nullptr).ok());
  const auto observer = registry.Make("MEAN");
  REQUIRE(observer.ok());
  REQUIRE(Observe(**observer, std::vector<float>{-1, 3}).ok());
  CHECK((*observer)->Compute(8)->max == 2);
  CHECK(registry.Names() == std::vector<std::string>{"KL", "MAX_MIN", "MEAN", "REMOVAL_OUTLIER", "RemovalOutlier"});
  const absl::Status unknown = registry.Make("MAXMIN").status();
  CHECK(unknown.code() == absl::StatusCode::kNotFound);
  CHECK(unknown.message().find("MAX_MIN") != std::string::npos);
}

}  // namespace
}  // namespace qlite
