#include "formats/onnx/external_data.h"

#include "absl/strings/numbers.h"
#include "core/error_site.h"
#include "core/mapped_file.h"
#include "core/str_cat.h"

namespace qlite::onnx {
namespace {

namespace fs = std::filesystem;

absl::Status CheckRelative(const std::string& location) {
  if (location.empty()) return absl::InvalidArgumentError("external data name no location");
  if (location.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError("the location of external data holds a zero byte");
  }
  const fs::path path(location);
  bool leads_up = path.is_absolute();
  for (const fs::path& part : path) leads_up = leads_up || part == "..";
  if (leads_up) {
    return absl::PermissionDeniedError(
        StrCat("external data at '", location, "' lie outside the model's folder; only files in it are read"));
  }
  return absl::OkStatus();
}

// Symbolic links resolved, `file` must still lie under `folder`.
absl::Status CheckInside(const fs::path& folder, const fs::path& file, const std::string& location) {
  std::error_code error;
  const fs::path root = fs::canonical(folder, error);
  const fs::path target = error ? fs::path() : fs::canonical(file, error);
  if (error) return absl::NotFoundError(StrCat("external data file '", location, "': ", error.message()));
  const fs::path relative = target.lexically_relative(root);
  if (relative.empty() || *relative.begin() == "..") {
    return absl::PermissionDeniedError(
        StrCat("external data at '", location, "' are a link that leads out of the model's folder"));
  }
  return absl::OkStatus();
}

struct Reference {
  std::string location;
  uint64_t offset = 0;
  uint64_t length = 0;
  bool has_length = false;
};

absl::StatusOr<Reference> ParseReference(const onnx_schema::TensorProto& tensor) {
  Reference reference;
  for (const auto& entry : tensor.external_data()) {
    bool good = true;
    if (entry.key() == "location") {
      reference.location = entry.value();
    } else if (entry.key() == "offset") {
      good = absl::SimpleAtoi(entry.value(), &reference.offset);
    } else if (entry.key() == "length") {
      good = absl::SimpleAtoi(entry.value(), &reference.length);
      reference.has_length = true;
    } else if (entry.key() != "checksum" && entry.key() != "basepath") {
      return absl::UnimplementedError(StrCat("external data have the unknown key '", entry.key(), "'"));
    }
    if (!good) {
      return absl::InvalidArgumentError(
          StrCat("external data's ", entry.key(), " '", entry.value(), "' is not a number of bytes"));
    }
  }
  return reference;
}

}  // namespace

ExternalData::ExternalData(const std::string& model_path, uint64_t max_bytes)
    : from_memory_(model_path.empty()), max_bytes_(max_bytes) {
  const fs::path parent = fs::path(model_path).parent_path();
  folder_ = parent.empty() ? fs::path(".") : parent;
}

absl::StatusOr<Buffer> ExternalData::MapFile(const std::string& location) {
  if (const auto found = mapped_.find(location); found != mapped_.end()) return found->second;
  if (from_memory_) {
    return absl::FailedPreconditionError(
        StrCat("the tensor's data lie in the file '", location, "', but the model was read from memory"));
  }
  const fs::path file = fs::path(folder_) / location;
  if (absl::Status status = CheckRelative(location); !status.ok()) return AtFile(status, file.string());
  if (absl::Status status = CheckInside(folder_, file, location); !status.ok()) return AtFile(status, file.string());
  absl::StatusOr<Buffer> whole = ::qlite::MapFile(file.string(), max_bytes_);
  if (whole.ok()) mapped_[location] = *whole;
  return whole;
}

absl::StatusOr<Buffer> ExternalData::Map(const onnx_schema::TensorProto& tensor, size_t bytes) {
  const absl::StatusOr<Reference> reference = ParseReference(tensor);
  if (!reference.ok()) return reference.status();
  if (reference->has_length && reference->length != bytes) {
    return absl::InvalidArgumentError(
        StrCat("external data hold ", reference->length, " bytes, but the shape asks for ", bytes));
  }
  const absl::StatusOr<Buffer> whole = MapFile(reference->location);
  if (!whole.ok()) return whole.status();
  if (reference->offset > whole->size || bytes > whole->size - reference->offset) {
    return AtFile(absl::OutOfRangeError(StrCat("external data reach from byte ", reference->offset, " over ", bytes,
                                               " bytes, but '", reference->location, "' has only ", whole->size)),
                  (fs::path(folder_) / reference->location).string());
  }
  return Buffer{whole->data + reference->offset, bytes, whole->owner};
}

}  // namespace qlite::onnx
