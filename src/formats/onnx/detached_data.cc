#include "formats/onnx/detached_data.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace qlite::onnx {
namespace {

using Bytes = std::span<const std::byte>;

// Fields of onnx.proto.
constexpr uint64_t kModelGraph = 7, kGraphInitializer = 5, kTensorRawData = 9;
// Smaller data are not worth a range of their own.
constexpr size_t kLarge = size_t{1} << 16;

uint64_t ReadVarint(Bytes bytes, size_t& at) {
  uint64_t value = 0;
  for (int shift = 0; at < bytes.size(); shift += 7) {
    const auto byte = std::to_integer<uint64_t>(bytes[at++]);
    if (shift < 64) value |= (byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) break;
  }
  return value;
}

void AppendVarint(uint64_t value, std::string& out) {
  for (; value > 0x7f; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

std::string_view AsText(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// A field of a message.
struct Field {
  uint64_t number = 0;
  bool delimited = false;
  Bytes whole;     // with its tag
  Bytes contents;  // of a delimited one
};

// The field at `at`, which moves behind it.
Field TakeField(Bytes message, size_t& at) {
  const size_t begin = at;
  const uint64_t tag = ReadVarint(message, at);
  Field field;
  field.number = tag >> 3;
  field.delimited = (tag & 7) == 2;
  if ((tag & 7) == 0) {
    ReadVarint(message, at);
  } else {
    const uint64_t length = (tag & 7) == 1 ? 8 : (tag & 7) == 5 ? 4 : ReadVarint(message, at);
    if (field.delimited) field.contents = message.subspan(at, length);
    at += length;
  }
  field.whole = message.subspan(begin, at - begin);
  return field;
}

void AppendDelimited(uint64_t number, std::string_view contents, std::string& out) {
  AppendVarint(number << 3 | 2, out);
  AppendVarint(contents.size(), out);
  out.append(contents);
}

// Where a field stands twice, the last one counts.
std::string DetachFromTensor(Bytes tensor, std::optional<Bytes>& data) {
  std::string out;
  for (size_t at = 0; at < tensor.size();) {
    const Field field = TakeField(tensor, at);
    const bool is_data = field.number == kTensorRawData && field.delimited;
    if (is_data) data.reset();
    if (is_data && field.contents.size() >= kLarge) {
      data = field.contents;
    } else {
      out.append(AsText(field.whole));
    }
  }
  return out;
}

std::string DetachFromGraph(Bytes graph, int& initializers, DetachedData& data) {
  std::string out;
  for (size_t at = 0; at < graph.size();) {
    const Field field = TakeField(graph, at);
    if (field.number != kGraphInitializer || !field.delimited) {
      out.append(AsText(field.whole));
      continue;
    }
    std::optional<Bytes> detached;
    AppendDelimited(field.number, DetachFromTensor(field.contents, detached), out);
    if (detached) data[initializers] = *detached;
    ++initializers;
  }
  return out;
}

}  // namespace

std::string DetachLargeData(std::span<const std::byte> model, DetachedData& data) {
  std::string out;
  int initializers = 0;
  for (size_t at = 0; at < model.size();) {
    const Field field = TakeField(model, at);
    if (field.number == kModelGraph && field.delimited) {
      AppendDelimited(field.number, DetachFromGraph(field.contents, initializers, data), out);
    } else {
      out.append(AsText(field.whole));
    }
  }
  return out;
}

}  // namespace qlite::onnx
