#include "formats/qlite/qlite_reader.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "core/attribute_fields.h"
#include "core/error_site.h"
#include "core/mapped_file.h"
#include "core/str_cat.h"
#include "formats/qlite/encoding/weight_encoding.h"
#include "formats/qlite/file_checksum.h"
#include "formats/qlite/file_layout.h"
#include "model_generated.h"

namespace qlite {
namespace {

using flatbuffers::Vector;

template <class T>
size_t Length(const Vector<T>* vector) {
  return vector == nullptr ? 0 : vector->size();
}

// The elements. Copied bytewise: the verifier does not check that 64-bit elements lie aligned.
template <class T>
std::vector<T> Elements(const Vector<T>* vector) {
  std::vector<T> elements(Length(vector));
  if (!elements.empty()) std::memcpy(elements.data(), vector->Data(), sizeof(T) * elements.size());
  return elements;
}

class Reader {
 public:
  Reader(const Buffer& file, const std::string& path, const QliteReadOptions& options)
      : file_(file), path_(path), options_(options) {}

  absl::StatusOr<Graph> Read() {
    if (absl::Status status = ReadHeader(); !status.ok()) return status;
    if (absl::Status status = VerifyStructure(); !status.ok()) return status;
    if (model_->name() != nullptr) graph_.name = model_->name()->str();
    if (absl::Status status = ReadMetadata(); !status.ok()) return status;
    if (absl::Status status = ReadValues(); !status.ok()) return status;
    if (absl::Status status = ReadNodes(); !status.ok()) return status;
    if (absl::Status status = ReadOutputs(); !status.ok()) return status;
    if (absl::Status status = graph_.Validate(); !status.ok()) {
      return Prefixed(status, StrCat(path_, ": not a valid .qlite file"));
    }
    ReleasePages(file_);  // what the graph does not hold is not needed again
    return std::move(graph_);
  }

 private:
  absl::Status Damaged(const absl::AlphaNum& what) const {
    return absl::InvalidArgumentError(StrCat(path_, ": not a valid .qlite file: ", what.Piece()));
  }

  // Counts what is copied out of the structure, against kMaxExpansion.
  absl::Status Spend(uint64_t bytes) {
    spent_ += bytes;
    if (spent_ <= kMaxExpansion * header_.structure_bytes) return absl::OkStatus();
    return Damaged("its structure refers to the same parts too often");
  }

  absl::Status ReadHeader() {
    if (file_.size < sizeof(FileHeader)) {
      return Damaged(StrCat("it has ", file_.size, " bytes, fewer than the header's ", sizeof(FileHeader)));
    }
    std::memcpy(&header_, file_.data, sizeof(header_));
    if (header_.magic != kQliteMagic) return Damaged("it does not begin with the identifier 'qlite'");
    if (header_.version < kQliteOldestVersion || header_.version > kQliteVersion) {
      return absl::UnimplementedError(StrCat(path_, ": .qlite version ", header_.version,
                                             ", this library reads versions ", kQliteOldestVersion, " to ",
                                             kQliteVersion, "; convert the model again with a matching release"));
    }
    if (header_.reserved != 0 || header_.padding != std::array<uint64_t, 2>{}) return Damaged("reserved bytes are set");
    const uint64_t body = file_.size - sizeof(FileHeader);
    if (header_.structure_bytes > body) {
      return Damaged(StrCat("its structure has ", header_.structure_bytes, " bytes, ", body, " are there"));
    }
    if (header_.structure_bytes > kMaxStructureBytes) {
      return Damaged(StrCat("its structure has ", header_.structure_bytes, " bytes, more than ", kMaxStructureBytes));
    }
    const uint64_t end = sizeof(FileHeader) + header_.structure_bytes;
    const uint64_t data_offset = (end + kDataAlignment - 1) / kDataAlignment * kDataAlignment;
    if (header_.data_offset != data_offset || header_.data_offset > file_.size ||
        header_.data_bytes != file_.size - header_.data_offset) {
      return Damaged(StrCat("it has ", file_.size, " bytes where ", data_offset, " + ", header_.data_bytes,
                            " were written; it was cut short or has grown"));
    }
    if (options_.verify_checksum && ChecksumOfBody() != header_.checksum) {
      return Damaged("its checksum does not match; it was damaged after it was written");
    }
    return absl::OkStatus();
  }

  // Of a large file, only a piece is in memory at a time.
  uint64_t ChecksumOfBody() const {
    constexpr size_t kPiece = size_t{16} << 20;
    FileChecksum checksum(header_);
    for (size_t begin = sizeof(FileHeader); begin < file_.size;) {
      const size_t size = std::min(kPiece, file_.size - begin);
      checksum.Add(file_.data + begin, size);
      begin += size;
      if (size == kPiece) ReleasePages({file_.data, begin, file_.owner});
    }
    return checksum.Value();
  }

  absl::Status VerifyStructure() {
    const auto* structure = reinterpret_cast<const uint8_t*>(file_.data + sizeof(FileHeader));
    // Values, attributes and symbols are tables too; a table takes 8 bytes or more.
    const int64_t nodes_at_most = std::clamp<int64_t>(options_.limits.max_nodes, 1, kMaxStructureBytes / 16);
    flatbuffers::Verifier verifier(structure, header_.structure_bytes, /*max_depth=*/16,
                                   /*max_tables=*/static_cast<flatbuffers::uoffset_t>(16 * nodes_at_most));
    if (!schema::VerifyModelBuffer(verifier)) return Damaged("its structure is not a model");
    model_ = schema::GetModel(structure);
    const int64_t nodes = static_cast<int64_t>(model_->nodes()->size());
    if (nodes > options_.limits.max_nodes) {
      return absl::ResourceExhaustedError(
          StrCat(path_, ": ", nodes, " nodes, the limit is ", options_.limits.max_nodes));
    }
    const int64_t tensors = static_cast<int64_t>(model_->values()->size());
    if (tensors > options_.limits.max_tensors) {
      return absl::ResourceExhaustedError(
          StrCat(path_, ": ", tensors, " tensors, the limit is ", options_.limits.max_tensors));
    }
    return absl::OkStatus();
  }

  absl::Status ReadMetadata() {
    for (size_t i = 0; i < Length(model_->metadata()); ++i) {
      const schema::Text* text = model_->metadata()->Get(static_cast<flatbuffers::uoffset_t>(i));
      if (absl::Status status = Spend(text->key()->size() + text->value()->size()); !status.ok()) return status;
      graph_.metadata[text->key()->str()] = text->value()->str();
    }
    return absl::OkStatus();
  }

  absl::StatusOr<QuantParams> ReadQuant(const schema::QuantParams& from) {
    const size_t numbers = Length(from.scales()) + Length(from.zero_points()) + Length(from.small_zero_points()) +
                           Length(from.variance_ratios()) + Length(from.mean_shifts());
    if (absl::Status status = Spend(sizeof(float) * numbers); !status.ok()) return status;
    QuantParams quant;
    quant.bits = from.bits();
    quant.scheme = from.symmetric() ? QuantScheme::kSymmetric : QuantScheme::kAsymmetric;
    quant.narrow_range = from.narrow_range();
    quant.axis = from.axis();
    quant.block_size = from.block_size();
    quant.scales = Elements(from.scales());
    quant.zero_points.assign(quant.scales.size(), 0);
    if (from.zero_points() != nullptr) quant.zero_points = Elements(from.zero_points());
    if (from.small_zero_points() != nullptr) {
      const std::vector<int8_t> small = Elements(from.small_zero_points());
      quant.zero_points.assign(small.begin(), small.end());
    }
    quant.variance_ratios = Elements(from.variance_ratios());
    quant.mean_shifts = Elements(from.mean_shifts());
    if (absl::Status status = quant.Validate(); !status.ok()) return status;
    return quant;
  }

  absl::StatusOr<Tensor> ReadConstant(const schema::Value& from, const Shape& shape) {
    if (!shape.IsStatic()) return absl::InvalidArgumentError("a constant has an unknown dimension");
    const schema::DataRange& range = *from.data();
    if (range.offset() % kDataAlignment != 0) return absl::InvalidArgumentError("its data are not aligned");
    if (range.offset() > header_.data_bytes || range.size() > header_.data_bytes - range.offset()) {
      return absl::InvalidArgumentError(StrCat("its data (", range.size(), " bytes at ", range.offset(),
                                               ") reach beyond the data section of ", header_.data_bytes));
    }
    if (range.size() > options_.limits.max_tensor_bytes) {
      return absl::ResourceExhaustedError(
          StrCat("its data have ", range.size(), " bytes, the limit is ", options_.limits.max_tensor_bytes));
    }
    const auto type = static_cast<ElementType>(from.type());
    const Buffer bytes{file_.data + header_.data_offset + range.offset(), range.size(), file_.owner};
    const WeightEncoding encoding{static_cast<WeightForm>(from.encoding()), from.width()};
    if (encoding == WeightEncoding{}) return Tensor::Create(type, shape.Extents(), bytes);
    absl::StatusOr<Tensor> elements = Decode(encoding, range, bytes, type, shape.Extents());
    return elements.ok() ? elements->Reshaped(shape.Extents()) : elements;
  }

  // The elements of an encoded constant in a row, decoded once for all values that share it; packed ones stay packed.
  absl::StatusOr<Tensor> Decode(WeightEncoding encoding, const schema::DataRange& range, const Buffer& bytes,
                                ElementType type, const std::vector<int64_t>& dims) {
    if (header_.version < kQliteEncodedVersion || encoding.form == WeightForm::kRaw ||
        static_cast<int64_t>(encoding.form) >= EnumCount(WeightForm{})) {
      return absl::InvalidArgumentError(StrCat("unknown encoding ", static_cast<int>(encoding.form), " of width ",
                                               encoding.width, " in a file of version ", header_.version));
    }
    const absl::StatusOr<int64_t> count = ElementCount(dims, ElementSize(type));
    if (!count.ok()) return count.status();
    const uint64_t element_bytes = static_cast<uint64_t>(*count) * ElementSize(type);
    if (element_bytes > options_.limits.max_tensor_bytes) {
      return absl::ResourceExhaustedError(
          StrCat("it takes ", element_bytes, " bytes, the limit is ", options_.limits.max_tensor_bytes));
    }
    const auto [place, is_new] =
        decoded_.try_emplace({range.offset(), range.size(), encoding.form, encoding.width, type, *count});
    if (!is_new) return place->second;
    decoded_bytes_ += element_bytes;
    if (decoded_bytes_ / kMaxWeightExpansion > header_.data_bytes) {
      return absl::InvalidArgumentError("the file's encoded data are used too often");
    }
    absl::StatusOr<Tensor> elements = encoding.form == WeightForm::kPacked
                                          ? Tensor::FromPacked(type, {*count}, {encoding.width, bytes})
                                          : DecodeNow(encoding, bytes, type, *count);
    if (elements.ok()) place->second = *elements;
    return elements;
  }

  absl::StatusOr<Tensor> DecodeNow(WeightEncoding encoding, const Buffer& bytes, ElementType type,
                                   int64_t count) const {
    absl::StatusOr<Buffer> elements =
        DecodeWeights(encoding, {bytes.data, bytes.size}, type, count, options_.executor, options_.isa);
    if (!elements.ok()) return elements.status();
    return Tensor::Create(type, {count}, *std::move(elements));
  }

  absl::StatusOr<Shape> ReadShape(const schema::Value& from) {
    if (!from.has_rank()) return Shape();
    const size_t rank = Length(from.dims()), symbols = Length(from.symbols());
    if (absl::Status status = Spend(sizeof(int64_t) * rank); !status.ok()) return status;
    if (symbols != 0 && symbols != rank) return absl::InvalidArgumentError("symbols and dimensions differ in number");
    const std::vector<int64_t> extents = Elements(from.dims());
    std::vector<Dim> dims(rank);
    for (size_t i = 0; i < rank; ++i) {
      const auto index = static_cast<flatbuffers::uoffset_t>(i);
      dims[i].value = extents[i];
      if (dims[i].value < Dim::kUnknown) {
        return absl::InvalidArgumentError(StrCat("dimension ", i, " is ", dims[i].value));
      }
      if (symbols == 0) continue;
      const flatbuffers::String& symbol = *from.symbols()->Get(index)->name();
      if (absl::Status status = Spend(symbol.size()); !status.ok()) return status;
      dims[i].symbol = symbol.str();
    }
    return Shape(std::move(dims));
  }

  // Which values are graph inputs; -1 entries and numbers out of range are errors.
  absl::StatusOr<std::vector<bool>> MarkInputs() const {
    std::vector<bool> is_input(model_->values()->size(), false);
    for (const int32_t number : *model_->inputs()) {
      if (number < 0 || static_cast<size_t>(number) >= is_input.size() || is_input[static_cast<size_t>(number)]) {
        return Damaged(StrCat("graph input ", number, " is not a value, or stands twice"));
      }
      is_input[static_cast<size_t>(number)] = true;
    }
    return is_input;
  }

  // Graph inputs have been added already, in their own order.
  absl::Status ReadValue(const schema::Value& from, bool is_input) {
    const std::string name = from.name()->str();
    const auto blame = [&](const absl::Status& status) {
      return AtValue(Prefixed(status, StrCat(path_, ": value '", name, "'")), name);
    };
    if (is_input && from.data() != nullptr) {
      return blame(absl::InvalidArgumentError("it is a constant and a graph input"));
    }
    if (is_input) return absl::OkStatus();
    if (from.type() >= EnumCount(ElementType::kUndefined)) {
      return blame(absl::InvalidArgumentError(StrCat("unknown element type ", from.type())));
    }
    const auto type = static_cast<ElementType>(from.type());
    absl::StatusOr<Shape> shape = ReadShape(from);
    if (!shape.ok()) return blame(shape.status());
    ValueId id;
    if (from.data() != nullptr) {
      absl::StatusOr<Tensor> constant = ReadConstant(from, *shape);
      if (!constant.ok()) return blame(constant.status());
      id = graph_.AddConstant(name, *std::move(constant));
    } else {
      id = graph_.AddValue(name);
    }
    return Finish(id, from, type, *std::move(shape));
  }

  // Sets what every kind of value has, and checks that the name was free.
  absl::Status Finish(ValueId id, const schema::Value& from, ElementType type, Shape shape) {
    Value& value = graph_.mutable_value(id);
    const std::string name = from.name()->str();
    if (absl::Status status = Spend(name.size()); !status.ok()) return status;
    if (value.name != name)
      return AtValue(Damaged(StrCat("two values are called '", name, "', or it has no name")), name);
    value.type = type;
    value.shape = std::move(shape);
    if (from.quant() != nullptr) {
      absl::StatusOr<QuantParams> quant = ReadQuant(*from.quant());
      if (!quant.ok()) return AtValue(Damaged(StrCat("value '", name, "': ", quant.status().message())), name);
      value.quant = *std::move(quant);
    }
    return absl::OkStatus();
  }

  absl::Status ReadValues() {
    absl::StatusOr<std::vector<bool>> is_input = MarkInputs();
    if (!is_input.ok()) return is_input.status();
    ids_.resize(is_input->size());
    for (const int32_t number : *model_->inputs()) {
      const schema::Value& from = *model_->values()->Get(static_cast<flatbuffers::uoffset_t>(number));
      absl::StatusOr<Shape> shape = ReadShape(from);
      if (!shape.ok()) return Damaged(shape.status().message());
      if (from.type() >= EnumCount(ElementType::kUndefined)) return Damaged("an input has an unknown element type");
      const auto type = static_cast<ElementType>(from.type());
      const ValueId id = graph_.AddInput(from.name()->str(), type, *shape);
      if (absl::Status status = Finish(id, from, type, *std::move(shape)); !status.ok()) return status;
      ids_[static_cast<size_t>(number)] = id;
    }
    for (size_t i = 0; i < ids_.size(); ++i) {
      const schema::Value& from = *model_->values()->Get(static_cast<flatbuffers::uoffset_t>(i));
      if (absl::Status status = ReadValue(from, (*is_input)[i]); !status.ok()) return status;
      if (!(*is_input)[i]) ids_[i] = ValueId{static_cast<int32_t>(graph_.value_slots()) - 1};
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<ValueId>> ReadIds(const Vector<int32_t>* numbers, std::string_view where,
                                               bool may_be_absent) {
    if (absl::Status status = Spend(sizeof(int32_t) * Length(numbers)); !status.ok()) return status;
    std::vector<ValueId> ids;
    for (size_t i = 0; i < Length(numbers); ++i) {
      const int32_t number = numbers->Get(static_cast<flatbuffers::uoffset_t>(i));
      if (number == -1 && may_be_absent) {
        ids.push_back(ValueId{});
      } else if (number < 0 || static_cast<size_t>(number) >= ids_.size()) {
        return Damaged(StrCat(where, " refers to value ", number, " of ", ids_.size()));
      } else {
        ids.push_back(ids_[static_cast<size_t>(number)]);
      }
    }
    return ids;
  }

  absl::StatusOr<std::vector<AttributeField>> ReadFields(const schema::Node& from) {
    std::vector<AttributeField> fields;
    for (size_t i = 0; i < Length(from.attributes()); ++i) {
      const schema::Attribute& attribute = *from.attributes()->Get(static_cast<flatbuffers::uoffset_t>(i));
      const uint64_t bytes = sizeof(flatbuffers::uoffset_t) + attribute.name()->size() +
                             sizeof(int64_t) * Length(attribute.integers()) + sizeof(float) * Length(attribute.reals());
      if (absl::Status status = Spend(bytes); !status.ok()) return status;
      AttributeField& field = fields.emplace_back();
      field.name = attribute.name()->str();
      field.integer = attribute.integer();
      field.real = std::bit_cast<float>(attribute.real());
      field.integers = Elements(attribute.integers());
      field.reals = Elements(attribute.reals());
    }
    return fields;
  }

  absl::Status ReadNode(const schema::Node& from) {
    const std::string name = from.name()->str(), where = StrCat("node '", name, "'");
    const std::optional<OpType> op = FindOp(from.op()->str());
    if (!op) {
      return absl::UnimplementedError(StrCat(path_, ": ", where, ": unknown operator '", from.op()->str(), "'"));
    }
    if (absl::Status status = Spend(name.size()); !status.ok()) return status;
    absl::StatusOr<std::vector<AttributeField>> fields = ReadFields(from);
    if (!fields.ok()) return fields.status();
    OpAttrs attrs = DefaultAttrs(*op);
    if (absl::Status status = SetFields(*fields, attrs); !status.ok()) {
      return Damaged(StrCat(where, ": ", status.message()));
    }
    absl::StatusOr<std::vector<ValueId>> inputs = ReadIds(from.inputs(), where, true);
    if (!inputs.ok()) return inputs.status();
    absl::StatusOr<std::vector<ValueId>> outputs = ReadIds(from.outputs(), where, true);
    if (!outputs.ok()) return outputs.status();
    absl::StatusOr<NodeId> id = graph_.AddNode(name, *op, std::move(attrs), *std::move(inputs), *std::move(outputs));
    if (!id.ok()) return Damaged(StrCat(where, ": ", id.status().message()));
    if (graph_.node(*id).name != name) return Damaged(StrCat("two nodes are called '", name, "', or it has no name"));
    return absl::OkStatus();
  }

  absl::Status ReadNodes() {
    for (const schema::Node* node : *model_->nodes()) {
      if (absl::Status status = ReadNode(*node); !status.ok()) return AtNode(status, node->name()->str());
    }
    return absl::OkStatus();
  }

  absl::Status ReadOutputs() {
    absl::StatusOr<std::vector<ValueId>> outputs = ReadIds(model_->outputs(), "the list of graph outputs", false);
    if (!outputs.ok()) return outputs.status();
    graph_.SetOutputs(*std::move(outputs));
    return absl::OkStatus();
  }

  const Buffer& file_;
  const std::string& path_;
  const QliteReadOptions& options_;
  FileHeader header_{};
  const schema::Model* model_ = nullptr;
  uint64_t spent_ = 0;
  // Encoded constants by place, encoding, element type and number of elements.
  std::map<std::tuple<uint64_t, uint64_t, WeightForm, int, ElementType, int64_t>, Tensor> decoded_;
  uint64_t decoded_bytes_ = 0;
  std::vector<ValueId> ids_;  // by the file's value number
  Graph graph_;
};

}  // namespace

bool LooksLikeQlite(std::string_view bytes) {
  return bytes.size() >= kQliteMagic.size() && std::memcmp(bytes.data(), kQliteMagic.data(), kQliteMagic.size()) == 0;
}

absl::StatusOr<Graph> ReadQlite(const Buffer& file, const std::string& path, const QliteReadOptions& options) {
  if (reinterpret_cast<uintptr_t>(file.data) % 8 != 0) {
    return ReadQlite(Buffer::Copy(file.data, file.size), path, options);  // FlatBuffers need their alignment
  }
  return Reader(file, path, options).Read();
}

}  // namespace qlite
