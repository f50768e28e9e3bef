// Takes the place of the files that read pictures in a build without them (QLITE_IMAGES=OFF).
#include "qlite/data_set.h"

namespace qlite {
namespace {

absl::Status LeftOut() {
  return absl::UnimplementedError("this library was built without pictures (QLITE_IMAGES=OFF)");
}

}  // namespace

absl::StatusOr<std::unique_ptr<DataSet>> OpenImageDataSet(const InputSpec&, const std::string&, int64_t,
                                                          const ImageOptions&, const Limits&) {
  return LeftOut();
}

absl::StatusOr<std::unique_ptr<DataSet>> MakeImageDataSet(const InputSpec&, std::vector<std::string>,
                                                          const ImageOptions&, const Limits&) {
  return LeftOut();
}

}  // namespace qlite
