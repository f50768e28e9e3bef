// What stands behind the handles that more than one file knows.
#ifndef QLITE_CAPI_BODIES_H_
#define QLITE_CAPI_BODIES_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "capi/call.h"
#include "capi/graph_view.h"
#include "capi/handle_table.h"
#include "capi/qlite.h"
#include "qlite/calibrator.h"
#include "qlite/context.h"
#include "qlite/data_set.h"
#include "qlite/graph.h"
#include "qlite/observer.h"
#include "qlite/preprocessor.h"

namespace qlite::capi {

inline constexpr size_t kMostExtents = 16;  // of a shape at the interface

struct Bytes {
  static constexpr Kind kKind = Kind::kBytes;
  using Handle = qlite_bytes;

  std::string text;
};

inline std::shared_ptr<Bytes> MakeBytes(std::string text) { return std::make_shared<Bytes>(Bytes{std::move(text)}); }

// One line each.
std::string Lines(const std::vector<std::string>& lines);

struct ContextBody {
  static constexpr Kind kKind = Kind::kContext;
  using Handle = qlite_context;

  explicit ContextBody(Context lent) : context(std::move(lent)) {}

  LastError& errors() { return last_error; }
  // Copies: a registration may happen meanwhile.
  ObserverRegistry Observers() const;
  PreprocessorRegistry Preprocessors() const;

  const Context context;
  const std::string isa{context.isa()};
  LastError last_error;
  mutable std::mutex registry_mutex;  // guards the rest
  ObserverRegistry observers = ObserverRegistry::Default();
  PreprocessorRegistry preprocessors = PreprocessorRegistry::Default();
};

// What is made with a context keeps it, to report failures there.
struct MadeWithContext {
  explicit MadeWithContext(std::shared_ptr<ContextBody> maker) : context(std::move(maker)) {}
  LastError& errors() { return context->last_error; }

  const std::shared_ptr<ContextBody> context;
};

struct GraphBody : MadeWithContext {
  static constexpr Kind kKind = Kind::kGraph;
  using Handle = qlite_graph;

  GraphBody(std::shared_ptr<ContextBody> maker, Graph made)
      : MadeWithContext(std::move(maker)), graph(std::move(made)) {}
  // Made when it is first asked for.
  const GraphView& view() const;

  const Graph graph;

 private:
  mutable std::mutex view_mutex_;
  mutable std::unique_ptr<const GraphView> view_;
};

struct DataSetBody : MadeWithContext {
  static constexpr Kind kKind = Kind::kDataSet;
  using Handle = qlite_data_set;

  DataSetBody(std::shared_ptr<ContextBody> maker, std::vector<InputSpec> specs, std::shared_ptr<const DataSet> made)
      : MadeWithContext(std::move(maker)), inputs(std::move(specs)), data(std::move(made)) {}

  const std::vector<InputSpec> inputs;  // what its samples are made for
  const std::shared_ptr<const DataSet> data;
};

struct TableBody : MadeWithContext {
  static constexpr Kind kKind = Kind::kCalibrationTable;
  using Handle = qlite_calibration_table;

  TableBody(std::shared_ptr<ContextBody> maker, CalibrationTable made);

  const CalibrationTable table;
  std::vector<const std::string*> names;           // of the tensors, in order
  std::vector<std::vector<double>> channel_means;  // of each tensor
};

using InputShapes = std::map<std::string, std::vector<int64_t>>;
// Refuses missing names, more than 16 extents and a name that stands twice.
InputShapes ReadShapes(const qlite_input_shape* shapes, size_t count);

// A list of texts, none of which may be missing.
std::vector<std::string> ReadNames(const char* const* names, size_t count, std::string_view what);

// Element types and formats of the host, checked.
ElementType ReadElementType(qlite_element_type type);

// Calls release(user) once, at its own end, and before an exception where there is no memory.
std::shared_ptr<void> Lend(void* user, qlite_release_function release);

// The loan of a function that takes one, to be taken before anything can fail: runs work(loan).
template <class Work>
qlite_status WithLoan(void* user, qlite_release_function release, Work&& work) noexcept {
  std::shared_ptr<void> loan;
  const qlite_status status = Guard(nullptr, [&] { loan = Lend(user, release); });
  return status == QLITE_OK ? work(std::move(loan)) : status;
}

// The same where user and release are members of a structure, which may be missing or of a wrong size.
template <class S, class Work>
qlite_status WithLoanOf(const S* lent, Work&& work) noexcept {
  const bool readable = lent != nullptr && lent->struct_size >= kFirstSize<S> && lent->struct_size <= kMaxStructSize;
  return WithLoan(readable ? lent->user : nullptr, readable ? lent->release : nullptr, std::forward<Work>(work));
}

}  // namespace qlite::capi

#endif  // QLITE_CAPI_BODIES_H_
