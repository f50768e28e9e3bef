#include "capi/bodies.h"

namespace qlite::capi {

std::string Lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

const GraphView& GraphBody::view() const {
  const std::lock_guard lock(view_mutex_);
  if (view_ == nullptr) view_ = std::make_unique<const GraphView>(graph);
  return *view_;
}

TableBody::TableBody(std::shared_ptr<ContextBody> maker, CalibrationTable made)
    : MadeWithContext(std::move(maker)), table(std::move(made)) {
  for (const auto& [name, tensor] : table.tensors) {
    names.push_back(&name);
    std::vector<double>& means = channel_means.emplace_back();
    for (size_t i = 0; i < tensor.channels.min.size(); ++i) means.push_back(tensor.channels.Mean(i));
  }
}

InputShapes ReadShapes(const qlite_input_shape* shapes, size_t count) {
  if (count > 0) Needed(shapes, "shapes");
  InputShapes read;
  for (size_t i = 0; i < count; ++i) {
    const std::string name = Needed(shapes[i].name, "the name of an input shape");
    if (shapes[i].rank > kMostExtents) RefuseValue(name, "the shape of input '" + name + "' has more than 16 extents");
    if (shapes[i].rank > 0) Needed(shapes[i].dims, "the extents of an input shape");
    std::vector<int64_t> dims(shapes[i].dims, shapes[i].dims + shapes[i].rank);
    if (!read.emplace(name, std::move(dims)).second) RefuseValue(name, "input '" + name + "' is given two shapes");
  }
  return read;
}

std::vector<std::string> ReadNames(const char* const* names, size_t count, std::string_view what) {
  if (count > 0) Needed(names, what);
  std::vector<std::string> read;
  for (size_t i = 0; i < count; ++i) read.emplace_back(Needed(names[i], what));
  return read;
}

ElementType ReadElementType(qlite_element_type type) {
  if (type <= QLITE_UNDEFINED || type > QLITE_BFLOAT16) Refuse("element type " + std::to_string(type) + " is unknown");
  return static_cast<ElementType>(type);
}

std::shared_ptr<void> Lend(void* user, qlite_release_function release) {
  if (release == nullptr) return nullptr;
  // A null pointer owns nothing, so the release is tied to a pointer of our own.
  struct Loan {
    void* user;
    qlite_release_function release;
    ~Loan() { release(user); }
  };
  // Where memory runs out here, the host is told all the same.
  struct Unless {
    void* user;
    qlite_release_function release;
    ~Unless() {
      if (release != nullptr) release(user);
    }
  } unless{user, release};
  std::shared_ptr<Loan> loan(new Loan{user, release});
  unless.release = nullptr;
  return loan;
}

}  // namespace qlite::capi
