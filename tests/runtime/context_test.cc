#include "qlite/context.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <mutex>

namespace qlite {
namespace {

using ::Catch::Contains;

absl::StatusOr<Context> WithIsa(const std::string& isa) {
  ContextOptions options;
  options.isa = isa;
  return Context::Create(options);
}

TEST_CASE("a context with defaults is silent and has one thread") {
  const absl::StatusOr<Context> context = Context::Create();
  REQUIRE(context.ok());
  CHECK(context->executor().concurrency() == 1);
  CHECK_FALSE(context->isa().empty());
  context->Log(LogLevel::kError, "nobody hears this");
  CHECK(context->Report({"stage", 1, 2}).ok());
}

TEST_CASE("options that cannot be are refused") {
  const absl::StatusOr<Context> unknown = WithIsa("mmx");
  REQUIRE_FALSE(unknown.ok());
  CHECK_THAT(std::string(unknown.status().message()), Contains("mmx") && Contains("generic"));
  ContextOptions negative;
  negative.num_threads = -1;
  CHECK_FALSE(Context::Create(negative).ok());
}

TEST_CASE("the instruction set comes from the option, then the variable") {
  const char* const before = std::getenv("QLITE_ISA");
  const std::string kept = before == nullptr ? "" : before;
  setenv("QLITE_ISA", "generic", 1);
  CHECK(Context::Create()->isa() == "generic");
  setenv("QLITE_ISA", "nonsense", 1);
  const absl::StatusOr<Context> wrong = Context::Create();
  CHECK_THAT(std::string(wrong.status().message()), Contains("QLITE_ISA"));
  CHECK(WithIsa("generic")->isa() == "generic");
  if (before == nullptr) {
    unsetenv("QLITE_ISA");
  } else {
    setenv("QLITE_ISA", kept.c_str(), 1);
  }
}

TEST_CASE("messages come one at a time, from derived contexts too") {
  int inside = 0;
  int messages = 0;
  bool overlapped = false;
  ContextOptions options;
  options.num_threads = 4;
  options.log = [&](LogLevel, std::string_view) {
    overlapped |= ++inside != 1;
    ++messages;
    --inside;
  };
  const Context context = *Context::Create(options);
  const Context derived = context.WithExecutor(MakeThreadPool(1));
  CHECK(derived.executor().concurrency() == 1);
  CHECK(derived.isa() == context.isa());
  context.executor().ParallelFor(1000, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) (i % 2 == 0 ? context : derived).Log(LogLevel::kInfo, "x");
  });
  CHECK(messages == 1000);
  CHECK_FALSE(overlapped);
}

TEST_CASE("a callback cancels") {
  ContextOptions options;
  options.progress = [](const Progress& progress) { return progress.done < 3; };
  const Context context = *Context::Create(options);
  CHECK(context.Report({"calibrate", 2, 5}).ok());
  const absl::Status status = context.Report({"calibrate", 3, 5});
  CHECK(status.code() == absl::StatusCode::kCancelled);
  CHECK(status.message() == "cancelled during calibrate at 3 of 5");
  CHECK(context.Report({"equalise", 3, 0}).message() == "cancelled during equalise");  // of nobody knows how many
}

}  // namespace
}  // namespace qlite
