#include "capi/bodies.h"
#include "qlite/data_set.h"

namespace qlite::capi {
namespace {

struct LabelsBody : MadeWithContext {
  static constexpr Kind kKind = Kind::kLabels;
  using Handle = qlite_labels;

  LabelsBody(std::shared_ptr<ContextBody> maker, LabelledImages read)
      : MadeWithContext(std::move(maker)), images(std::move(read)) {}

  const LabelledImages images;
};

}  // namespace
}  // namespace qlite::capi

using namespace qlite::capi;

qlite_status qlite_labels_read(const qlite_context* context, const char* file, const char* root, int64_t offset,
                               qlite_labels** labels) {
  const auto read = [&](ContextBody&) {
    return std::make_shared<LabelsBody>(Needed<ContextBody>(context, "context"),
                                        Take(qlite::ReadLabels(Needed(file, "file"), Needed(root, "root"), offset)));
  };
  return Make<ContextBody>(context, labels, read);
}

qlite_status qlite_labels_count(const qlite_labels* labels, size_t* count) {
  return Call<LabelsBody>(labels, [&](LabelsBody& body) { *Needed(count, "count") = body.images.files.size(); });
}

qlite_status qlite_labels_get(const qlite_labels* labels, size_t index, const char** file, int64_t* label) {
  return Call<LabelsBody>(labels, [&](LabelsBody& body) {
    const size_t i = Checked(index, body.images.files.size(), "picture");
    *Needed(file, "file") = body.images.files[i].c_str();
    *Needed(label, "label") = body.images.labels[i];
  });
}

qlite_status qlite_labels_release(qlite_labels* labels) { return Release<LabelsBody>(labels); }
