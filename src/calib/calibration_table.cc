#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "calib/byte_stream.h"
#include "calib/channel_statistics.h"
#include "calib/files.h"
#include "calib/fingerprint.h"
#include "calibration_table_generated.h"
#include "core/atomic_file.h"
#include "core/error_site.h"
#include "core/str_cat.h"
#include "qlite/calibrator.h"

namespace qlite {
namespace {

namespace file = calib::file;

constexpr uint32_t kVersion = 1;
constexpr size_t kChecksumBytes = 8;

absl::Status Damaged(std::string_view what) { return absl::DataLossError(StrCat("damaged calibration table: ", what)); }

flatbuffers::Offset<file::SavedTensor> WriteTensor(const std::string& name, const TensorCalibration& tensor,
                                                   flatbuffers::FlatBufferBuilder* builder) {
  const std::string state = tensor.observer->Save();
  const auto name_offset = builder->CreateString(name);
  const auto state_offset = builder->CreateVector(reinterpret_cast<const uint8_t*>(state.data()), state.size());
  const auto min_offset = builder->CreateVector(tensor.channels.min);
  const auto max_offset = builder->CreateVector(tensor.channels.max);
  std::vector<file::Sum> sums;
  for (const FixedSum& sum : tensor.channels.sum) sums.emplace_back(sum.high, sum.low);
  const auto sum_offset = builder->CreateVectorOfStructs(sums);
  return file::CreateSavedTensor(*builder, name_offset, state_offset, min_offset, max_offset, sum_offset,
                                 tensor.channels.count, tensor.elements);
}

absl::StatusOr<TensorCalibration> ReadTensor(const file::SavedTensor& tensor, std::string_view method,
                                             const ObserverRegistry& registry) {
  TensorCalibration read;
  absl::StatusOr<std::unique_ptr<Observer>> observer = registry.Make(method);
  if (!observer.ok()) return observer.status();
  read.observer = *std::move(observer);
  const std::string_view state(reinterpret_cast<const char*>(tensor.state()->data()), tensor.state()->size());
  if (absl::Status status = read.observer->Load(state); !status.ok()) return status;
  read.channels.min.assign(tensor.channel_min()->begin(), tensor.channel_min()->end());
  read.channels.max.assign(tensor.channel_max()->begin(), tensor.channel_max()->end());
  for (const file::Sum* sum : *tensor.channel_sum()) read.channels.sum.push_back({sum->high(), sum->low()});
  read.channels.count = tensor.channel_count();
  if (!calib::ValidChannelStatistics(read.channels)) {
    return Damaged(StrCat("channel statistics of '", tensor.name()->str(), "'"));
  }
  read.elements = tensor.elements();
  return read;
}

// The flatbuffer in `bytes` after the checks of length, hash, identifier, structure and version.
absl::StatusOr<const file::SavedTable*> Verify(std::string_view bytes) {
  if (bytes.size() < kChecksumBytes + 2 * sizeof(uint32_t)) return Damaged("it is too short");
  const std::string_view body = bytes.substr(0, bytes.size() - kChecksumBytes);
  if (!file::SavedTableBufferHasIdentifier(body.data())) {
    return absl::InvalidArgumentError("not a calibration table: the file identifier 'QCAL' is missing");
  }
  calib::ByteReader checksum(bytes.substr(body.size()));
  const uint64_t low = checksum.U32(), high = checksum.U32();
  if ((high << 32 | low) != calib::HashBytes(body)) return Damaged("its checksum is wrong");
  flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t*>(body.data()), body.size());
  if (!file::VerifySavedTableBuffer(verifier)) return Damaged("its structure is inconsistent");
  const file::SavedTable* table = file::GetSavedTable(body.data());
  if (table->version() != kVersion) {
    return absl::UnimplementedError(
        StrCat("calibration table of version ", table->version(), "; this library reads version ", kVersion));
  }
  return table;
}

}  // namespace

absl::StatusOr<ObservedRange> CalibrationTable::Range(std::string_view value_name, int bits) const {
  const auto found = tensors.find(value_name);
  if (found == tensors.end()) {
    return AtValue(absl::NotFoundError(StrCat("value '", value_name, "' was not observed during calibration")),
                   value_name);
  }
  absl::StatusOr<ObservedRange> range = found->second.observer->Compute(bits);
  if (range.ok()) return range;
  return AtValue(Prefixed(range.status(), StrCat("value '", value_name, "'")), value_name);
}

absl::Status CalibrationTable::Merge(const CalibrationTable& other) {
  if (method != other.method) {
    return absl::InvalidArgumentError(
        StrCat("calibration tables of different methods cannot be merged: ", method, " and ", other.method));
  }
  if (graph_fingerprint != other.graph_fingerprint) {
    return absl::InvalidArgumentError("calibration tables of different graphs cannot be merged");
  }
  const auto same_name = [](const auto& a, const auto& b) { return a.first == b.first; };
  if (!std::equal(tensors.begin(), tensors.end(), other.tensors.begin(), other.tensors.end(), same_name)) {
    return absl::InvalidArgumentError("calibration tables that observed different values cannot be merged");
  }
  for (auto into = tensors.begin(); const auto& [name, from] : other.tensors) {
    TensorCalibration& tensor = into++->second;
    const absl::Status status = calib::MergeChannelStatistics(name, from.channels, &tensor.channels);
    if (!status.ok()) return status;
    if (absl::Status merged = tensor.observer->Merge(*from.observer); !merged.ok()) return merged;
    tensor.elements += from.elements;
  }
  if (data_fingerprint != other.data_fingerprint) data_fingerprint = 0;
  samples_done += other.samples_done;
  return absl::OkStatus();
}

absl::StatusOr<std::string> CalibrationTable::Serialize() const {
  flatbuffers::FlatBufferBuilder builder(1 << 20);
  std::vector<flatbuffers::Offset<file::SavedTensor>> written;
  for (const auto& [name, tensor] : tensors) {
    if (tensor.observer == nullptr)
      return AtValue(absl::InvalidArgumentError(StrCat("value '", name, "' has no observer")), name);
    written.push_back(WriteTensor(name, tensor, &builder));
    constexpr size_t kMaxBytes = size_t{1} << 30;  // flatbuffers address less than 2 GiB
    if (builder.GetSize() > kMaxBytes) return absl::ResourceExhaustedError("the calibration table passes 1 GiB");
  }
  const auto method_offset = builder.CreateString(method);
  const auto tensors_offset = builder.CreateVector(written);
  file::FinishSavedTableBuffer(builder, file::CreateSavedTable(builder, kVersion, method_offset, graph_fingerprint,
                                                               data_fingerprint, samples_done, tensors_offset));
  std::string bytes(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
  const uint64_t hash = calib::HashBytes(bytes);
  calib::ByteWriter checksum;
  checksum.U32(static_cast<uint32_t>(hash));
  checksum.U32(static_cast<uint32_t>(hash >> 32));
  bytes += checksum.Take();
  return bytes;
}

absl::StatusOr<CalibrationTable> CalibrationTable::Parse(std::string_view bytes, const ObserverRegistry& registry) {
  // Flatbuffers are read in place and need their alignment.
  const std::string aligned(bytes);
  absl::StatusOr<const file::SavedTable*> verified = Verify(aligned);
  if (!verified.ok()) return verified.status();
  const file::SavedTable& read = **verified;
  CalibrationTable table;
  table.method = read.method()->str();
  table.graph_fingerprint = read.graph_fingerprint();
  table.data_fingerprint = read.data_fingerprint();
  table.samples_done = read.samples_done();
  if (table.samples_done < 0) return Damaged("a negative number of samples");
  for (const file::SavedTensor* tensor : *read.tensors()) {
    absl::StatusOr<TensorCalibration> calibration = ReadTensor(*tensor, table.method, registry);
    if (!calibration.ok()) return calibration.status();
    std::string name = tensor->name()->str();
    if (!table.tensors.empty() && name <= table.tensors.rbegin()->first) return Damaged("values are out of order");
    table.tensors.emplace_hint(table.tensors.end(), std::move(name), *std::move(calibration));
  }
  return table;
}

absl::Status CalibrationTable::SaveFile(const std::string& path) const {
  absl::StatusOr<std::string> bytes = Serialize();
  if (!bytes.ok()) return bytes.status();
  return AtFileInstead(WriteFileAtomically(path, *bytes), path);
}

absl::StatusOr<CalibrationTable> CalibrationTable::LoadFile(const std::string& path, const ObserverRegistry& registry) {
  constexpr uint64_t kMaxBytes = uint64_t{2} << 30;
  absl::StatusOr<std::string> bytes = calib::ReadWholeFile(path, kMaxBytes);
  if (!bytes.ok()) return bytes.status();
  absl::StatusOr<CalibrationTable> table = Parse(*bytes, registry);
  if (table.ok()) return table;
  return AtFile(Prefixed(table.status(), path), path);
}

}  // namespace qlite
