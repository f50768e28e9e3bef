#include "formats/qlite/qlite_writer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <map>
#include <optional>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "core/attribute_fields.h"
#include "core/mapped_file.h"
#include "core/status_macros.h"
#include "core/str_cat.h"
#include "formats/qlite/encoding/weight_encoding.h"
#include "formats/qlite/file_checksum.h"
#include "formats/qlite/file_layout.h"
#include "model_generated.h"

namespace qlite {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

uint64_t AlignUp(uint64_t offset) { return (offset + kDataAlignment - 1) / kDataAlignment * kDataAlignment; }

// Places constants in the data section, each distinct content once: the file does not tell which constants shared
// memory.
class DataSection {
 public:
  explicit DataSection(const QliteWriteOptions& options) : options_(options) {}

  struct Placed {
    schema::DataRange range;
    WeightEncoding encoding;
  };

  // `value` is a constant.
  Placed Place(const Value& value) {
    const Tensor& tensor = *value.constant;
    EncodedWeights encoded = Encode(tensor, value.quant);
    if (encoded.encoding.form == WeightForm::kRaw) return {Place(tensor.buffer(), {}), {}};
    encoded_ = true;
    const Meaning meaning{encoded.encoding.form, encoded.encoding.width, tensor.type(), tensor.element_count()};
    return {Place(Buffer::Own(std::move(encoded.bytes)), meaning), encoded.encoding};
  }

  uint64_t size() const { return size_; }
  bool has_encoded() const { return encoded_; }

  // In the order of their offsets, each behind the zeros that align it.
  struct Piece {
    uint64_t offset;
    Buffer buffer;
  };
  const std::vector<Piece>& pieces() const { return pieces_; }

 private:
  // Encoded bytes are shared between equal elements alone: a reader counts what decoding takes of each.
  using Meaning = std::tuple<WeightForm, int, ElementType, int64_t>;

  schema::DataRange Place(const Buffer& buffer, const Meaning& meaning) {
    std::vector<size_t>& alike = alike_[{buffer.size, HashOf(buffer), meaning}];
    for (const size_t i : alike) {
      if (SameBytes(pieces_[i].buffer, buffer)) return {pieces_[i].offset, buffer.size};
    }
    alike.push_back(pieces_.size());
    pieces_.push_back({AlignUp(size_), buffer});
    size_ = pieces_.back().offset + buffer.size;
    return {pieces_.back().offset, buffer.size};
  }

  static uint64_t HashOf(const Buffer& buffer) {
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    ForEachPiece(buffer,
                 [&](std::span<const std::byte> piece) { XXH3_64bits_update(&state, piece.data(), piece.size()); });
    return XXH3_64bits_digest(&state);
  }

  EncodedWeights Encode(const Tensor& tensor, const std::optional<QuantParams>& quant) const {
    if (!quant) return {};
    return options_.smallest_weights ? EncodeWeights(tensor, *quant, options_.executor) : PackWeights(tensor, *quant);
  }

  const QliteWriteOptions& options_;
  std::vector<Piece> pieces_;
  std::map<std::tuple<size_t, uint64_t, Meaning>, std::vector<size_t>> alike_;  // by size, hash and meaning
  uint64_t size_ = 0;
  bool encoded_ = false;
};

// Writes each distinct short list of integers and each short symbol once: shapes and windows recur from layer to layer.
// Long ones are not shared, which keeps a file within kMaxExpansion.
class SharedLists {
 public:
  Offset<flatbuffers::Vector<int64_t>> Write(FlatBufferBuilder& builder, const std::vector<int64_t>& list) {
    if (list.empty()) return 0;
    if (list.size() > kMaxSharedEntries) return builder.CreateVector(list);
    const auto [place, is_new] = written_.try_emplace(list, 0);
    if (is_new) place->second = builder.CreateVector(list);
    return place->second;
  }

  Offset<schema::Symbol> Symbol(FlatBufferBuilder& builder, const std::string& symbol) {
    if (symbol.size() > kMaxSharedSymbol) return schema::CreateSymbol(builder, builder.CreateString(symbol));
    const auto [place, is_new] = symbols_.try_emplace(symbol, 0);
    if (is_new) place->second = schema::CreateSymbol(builder, builder.CreateString(symbol));
    return place->second;
  }

 private:
  static constexpr size_t kMaxSharedEntries = 16, kMaxSharedSymbol = 32;

  std::map<std::vector<int64_t>, Offset<flatbuffers::Vector<int64_t>>> written_;
  std::map<std::string, Offset<schema::Symbol>> symbols_;
};

bool UsesSmallZeroPoints(const QuantParams& quant) {
  return quant.zero_points.size() > 1 && std::all_of(quant.zero_points.begin(), quant.zero_points.end(),
                                                     [](int32_t z) { return z >= -128 && z <= 127; });
}

Offset<schema::QuantParams> WriteQuant(FlatBufferBuilder& builder, const QuantParams& quant) {
  const std::vector<int32_t>& points = quant.zero_points;
  const bool zero = std::all_of(points.begin(), points.end(), [](int32_t z) { return z == 0; });
  const bool small = UsesSmallZeroPoints(quant);
  const auto scales = builder.CreateVector(quant.scales);
  const auto zero_points = zero || small ? 0 : builder.CreateVector(points);
  const auto small_points =
      zero || !small ? 0 : builder.CreateVector(std::vector<int8_t>(points.begin(), points.end()));
  const auto ratios = quant.variance_ratios.empty() ? 0 : builder.CreateVector(quant.variance_ratios);
  const auto shifts = quant.mean_shifts.empty() ? 0 : builder.CreateVector(quant.mean_shifts);
  return schema::CreateQuantParams(builder, static_cast<uint8_t>(quant.bits), quant.scheme == QuantScheme::kSymmetric,
                                   quant.narrow_range, quant.axis, quant.block_size, scales, zero_points, small_points,
                                   ratios, shifts);
}

// A reader of version 1 would decode some value without the parameters that it does not know.
bool HasNewParameters(const Graph& graph) {
  for (size_t i = 0; i < graph.value_slots(); ++i) {
    const std::optional<QuantParams>& quant = graph.value(ValueId{static_cast<int32_t>(i)}).quant;
    if (!quant) continue;
    const auto& points = quant->zero_points;
    const bool zero = std::all_of(points.begin(), points.end(), [](int32_t z) { return z == 0; });
    if (quant->corrected() || (!zero && UsesSmallZeroPoints(*quant))) return true;
  }
  return false;
}

Offset<schema::Value> WriteValue(FlatBufferBuilder& builder, const Value& value, SharedLists& lists,
                                 DataSection& data) {
  const auto name = builder.CreateString(value.name);
  std::vector<int64_t> dims;
  std::vector<Offset<schema::Symbol>> symbols;
  bool has_symbols = false;
  for (const Dim& dim : value.shape.dims()) {
    dims.push_back(dim.value);
    has_symbols |= !dim.symbol.empty();
  }
  for (size_t i = 0; has_symbols && i < dims.size(); ++i) {
    const std::string& symbol = value.shape.dim(static_cast<int64_t>(i)).symbol;
    symbols.push_back(lists.Symbol(builder, symbol));
  }
  const auto dims_offset = lists.Write(builder, dims);
  const auto symbols_offset = has_symbols ? builder.CreateVector(symbols) : 0;
  const auto quant = value.quant ? WriteQuant(builder, *value.quant) : 0;
  DataSection::Placed placed;
  if (value.is_constant()) placed = data.Place(value);
  return schema::CreateValue(builder, name, static_cast<uint8_t>(value.type), value.shape.has_rank(), dims_offset,
                             symbols_offset, quant, value.is_constant() ? &placed.range : nullptr,
                             static_cast<uint8_t>(placed.encoding.form), static_cast<uint8_t>(placed.encoding.width));
}

std::vector<int32_t> Numbers(std::span<const ValueId> ids) {
  std::vector<int32_t> numbers;
  for (const ValueId id : ids) numbers.push_back(id.index);
  return numbers;
}

Offset<schema::Node> WriteNode(FlatBufferBuilder& builder, const Node& node, SharedLists& lists) {
  std::vector<Offset<schema::Attribute>> attributes;
  for (const AttributeField& field : NonDefaultFields(node.op, node.attrs)) {
    const auto name = builder.CreateSharedString(field.name);  // stands once in the file, as operators' names do
    const auto integers = lists.Write(builder, field.integers);
    const auto reals = field.reals.empty() ? 0 : builder.CreateVector(field.reals);
    const auto real = std::bit_cast<uint32_t>(field.real);
    attributes.push_back(schema::CreateAttribute(builder, name, field.integer, real, integers, reals));
  }
  const auto name = builder.CreateString(node.name);
  const auto op = builder.CreateSharedString(std::string(OpName(node.op)));
  const auto attributes_offset = attributes.empty() ? 0 : builder.CreateVector(attributes);
  const auto inputs = builder.CreateVector(Numbers(node.inputs));
  const auto outputs = builder.CreateVector(Numbers(node.outputs));
  return schema::CreateNode(builder, name, op, attributes_offset, inputs, outputs);
}

// No fewer bytes than the structure will take, before any is written.
uint64_t StructureBound(const Graph& graph) {
  constexpr uint64_t kTable = 128;  // a table with its alignment, and the places that refer to it
  uint64_t bytes = kTable + graph.name.size() + 4 * (graph.inputs().size() + graph.outputs().size());
  for (const auto& [key, text] : graph.metadata) bytes += kTable + key.size() + text.size();
  for (int32_t i = 0; i < static_cast<int32_t>(graph.value_slots()); ++i) {
    const Value& value = graph.value(ValueId{i});
    bytes += kTable + value.name.size() + (value.quant ? kTable + 16 * value.quant->scales.size() : 0);
    for (const Dim& dim : value.shape.dims()) bytes += kTable + dim.symbol.size();
  }
  for (int32_t i = 0; i < static_cast<int32_t>(graph.node_slots()); ++i) {
    const Node& node = graph.node(NodeId{i});
    bytes += kTable + node.name.size() + 4 * (node.inputs.size() + node.outputs.size());
    for (const AttributeField& field : NonDefaultFields(node.op, node.attrs)) {
      bytes += kTable + field.name.size() + 8 * field.integers.size() + 4 * field.reals.size();
    }
  }
  return bytes;
}

// `graph` is compact: every slot lives, and nodes lie in topological order.
absl::Status WriteStructure(const Graph& graph, FlatBufferBuilder& builder, DataSection& data) {
  if (StructureBound(graph) > kMaxStructureBytes) {
    return absl::ResourceExhaustedError(
        StrCat("the structure of graph '", graph.name, "' is larger than ", kMaxStructureBytes, " bytes"));
  }
  SharedLists lists;
  std::vector<Offset<schema::Value>> values;
  for (int32_t i = 0; i < static_cast<int32_t>(graph.value_slots()); ++i) {
    values.push_back(WriteValue(builder, graph.value(ValueId{i}), lists, data));
  }
  std::vector<Offset<schema::Node>> nodes;
  for (const NodeId id : graph.TopologicalOrder()) nodes.push_back(WriteNode(builder, graph.node(id), lists));
  std::vector<Offset<schema::Text>> metadata;
  for (const auto& [key, value] : graph.metadata) {
    const auto key_offset = builder.CreateString(key);
    metadata.push_back(schema::CreateText(builder, key_offset, builder.CreateString(value)));
  }
  const auto name = builder.CreateString(graph.name);
  const auto metadata_offset = builder.CreateVector(metadata);
  const auto values_offset = builder.CreateVector(values);
  const auto nodes_offset = builder.CreateVector(nodes);
  const auto inputs = builder.CreateVector(Numbers(graph.inputs()));
  const auto outputs = builder.CreateVector(Numbers(graph.outputs()));
  schema::FinishModelBuffer(
      builder, schema::CreateModel(builder, name, metadata_offset, values_offset, nodes_offset, inputs, outputs));
  return absl::OkStatus();
}

// Appends what stands behind the header, and adds it to the checksum.
class Body {
 public:
  Body(const FileHeader& header, ByteSink& sink) : checksum_(header), sink_(sink) {}

  absl::Status Append(const void* bytes, size_t size) {
    checksum_.Add(bytes, size);
    written_ += size;
    return sink_.Append({static_cast<const char*>(bytes), size});
  }
  absl::Status AppendZerosUpTo(uint64_t offset) {
    const std::array<char, kDataAlignment> zeros{};
    return Append(zeros.data(), offset - written_);
  }
  uint64_t checksum() const { return checksum_.Value(); }

 private:
  FileChecksum checksum_;
  ByteSink& sink_;
  uint64_t written_ = sizeof(FileHeader);
};

}  // namespace

struct QliteFile::Parts {
  explicit Parts(const QliteWriteOptions& options) : data(options) {}

  FlatBufferBuilder structure;
  DataSection data;
  FileHeader header{};
};

QliteFile::QliteFile(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
QliteFile::QliteFile(QliteFile&& other) noexcept = default;
QliteFile::~QliteFile() = default;

absl::StatusOr<QliteFile> QliteFile::Make(const Graph& graph, const QliteWriteOptions& options) {
  Graph compact = graph;
  compact.Compact();
  QLITE_RETURN_IF_ERROR(compact.Validate());
  auto parts = std::make_unique<Parts>(options);
  QLITE_RETURN_IF_ERROR(WriteStructure(compact, parts->structure, parts->data));
  FileHeader& header = parts->header;
  header.magic = kQliteMagic;
  header.version = parts->data.has_encoded() || HasNewParameters(compact) ? kQliteEncodedVersion : kQliteOldestVersion;
  header.structure_bytes = parts->structure.GetSize();
  header.data_offset = AlignUp(sizeof(FileHeader) + header.structure_bytes);
  header.data_bytes = parts->data.size();
  return QliteFile(std::move(parts));
}

absl::Status QliteFile::WriteTo(ByteSink& sink) const {
  FileHeader header = parts_->header;
  sink.Expect(header.data_offset + header.data_bytes);
  const auto header_bytes = [&] { return std::string_view(reinterpret_cast<const char*>(&header), sizeof(header)); };
  QLITE_RETURN_IF_ERROR(sink.Append(header_bytes()));
  Body body(header, sink);
  QLITE_RETURN_IF_ERROR(body.Append(parts_->structure.GetBufferPointer(), header.structure_bytes));
  QLITE_RETURN_IF_ERROR(body.AppendZerosUpTo(header.data_offset));
  for (const DataSection::Piece& piece : parts_->data.pieces()) {
    QLITE_RETURN_IF_ERROR(body.AppendZerosUpTo(header.data_offset + piece.offset));
    QLITE_RETURN_IF_ERROR(TryEachPiece(
        piece.buffer, [&](std::span<const std::byte> bytes) { return body.Append(bytes.data(), bytes.size()); }));
  }
  header.checksum = body.checksum();
  return sink.Overwrite(0, header_bytes());
}

absl::StatusOr<std::string> WriteQlite(const Graph& graph, const QliteWriteOptions& options) {
  const absl::StatusOr<QliteFile> file = QliteFile::Make(graph, options);
  if (!file.ok()) return file.status();
  StringSink sink;
  QLITE_RETURN_IF_ERROR(file->WriteTo(sink));
  return std::move(sink.bytes());
}

}  // namespace qlite
