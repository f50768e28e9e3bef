#include <array>
#include <cctype>
#include <string>
#include <string_view>

#include "core/error_site.h"
#include "core/mapped_file.h"
#include "core/str_cat.h"
#include "formats/onnx/onnx_reader.h"
#include "formats/qlite/qlite_reader.h"
#include "kernels/isa.h"
#include "qlite/model_io.h"
#include "qlite/nearest_name.h"

namespace qlite {
namespace {

constexpr std::array<std::string_view, 2> kFormatNames = {"qlite", "onnx"};

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

std::string_view Extension(std::string_view path) {
  const size_t slash = path.find_last_of('/');
  const std::string_view file = slash == std::string_view::npos ? path : path.substr(slash + 1);
  const size_t dot = file.find_last_of('.');
  return dot == std::string_view::npos ? std::string_view() : file.substr(dot + 1);
}

// What else a file may be, by its first bytes: the name of the format, or empty.
std::string_view OtherFormat(std::string_view bytes) {
  if (bytes.size() < 8) return {};
  const std::string_view identifier = bytes.substr(4, 4);
  if (identifier == "TFL3") return "TensorFlow Lite";
  if (identifier == "MSL0" || identifier == "MSL1" || identifier == "MSL2") return "MindSpore Lite";
  if (bytes.substr(0, 8) == "7767517\n") return "ncnn";
  return {};
}

// What the content and the path tell; they may not contradict what the host says.
absl::StatusOr<ModelFormat> Detect(std::string_view bytes, const std::string& path, std::optional<ModelFormat> said) {
  if (LooksLikeQlite(bytes)) {
    if (said.value_or(ModelFormat::kQlite) == ModelFormat::kQlite) return ModelFormat::kQlite;
    return absl::InvalidArgumentError(StrCat(path, ": this is a qlite model, not ", ModelFormatName(*said)));
  }
  if (const std::string_view other = OtherFormat(bytes); !other.empty()) {
    return absl::UnimplementedError(
        StrCat(path, ": this is a ", other, " model; the formats that can be read are .qlite and .onnx"));
  }
  if (said) return *said;
  if (const std::optional<ModelFormat> format = ModelFormatOfPath(path)) return *format;
  constexpr char kIrVersionTag = 0x08;  // ModelProto's first field
  if (!bytes.empty() && bytes[0] == kIrVersionTag) return ModelFormat::kOnnx;
  return absl::InvalidArgumentError(
      StrCat(path, ": neither content nor extension tells its format; expected .qlite or .onnx"));
}

QliteReadOptions QliteOptions(const Context& context) {
  QliteReadOptions options;
  options.limits = context.limits();
  options.executor = &context.executor();
  kernels::ParseIsa(context.isa(), &options.isa);
  return options;
}

absl::StatusOr<Graph> Read(const Context& context, const Buffer& bytes, const std::string& name,
                           const std::string& path, const LoadOptions& options) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data), bytes.size);
  absl::StatusOr<ModelFormat> format = Detect(text, name, options.format);
  if (!format.ok()) return format.status();
  if (bytes.size > context.limits().max_file_bytes) {
    return absl::ResourceExhaustedError(
        StrCat(name, ": ", bytes.size, " bytes, the limit is ", context.limits().max_file_bytes));
  }
  switch (*format) {
    case ModelFormat::kQlite: {
      absl::StatusOr<Graph> graph = ReadQlite(bytes, name, QliteOptions(context));
      if (!graph.ok() || options.input_shapes.empty()) return graph;
      if (absl::Status status = graph->InferShapes(options.input_shapes); !status.ok()) {
        return Prefixed(status, name);
      }
      return graph;
    }
    case ModelFormat::kOnnx: {
      absl::StatusOr<Graph> graph =
          ReadOnnx(bytes, path, {.limits = context.limits(), .input_shapes = options.input_shapes});
      if (graph.ok() || !path.empty()) return graph;
      return Prefixed(graph.status(), name);
    }
  }
  return absl::InternalError("unknown model format");
}

}  // namespace

std::string_view ModelFormatName(ModelFormat format) { return kFormatNames[static_cast<size_t>(format)]; }

absl::StatusOr<ModelFormat> ParseModelFormat(std::string_view name) {
  const std::string lower = Lower(name);
  for (size_t i = 0; i < kFormatNames.size(); ++i) {
    if (kFormatNames[i] == lower) return static_cast<ModelFormat>(i);
  }
  return absl::InvalidArgumentError(StrCat("unknown model format '", name, "'; ", DidYouMean(lower, kFormatNames)));
}

std::optional<ModelFormat> ModelFormatOfPath(std::string_view path) {
  const absl::StatusOr<ModelFormat> format = ParseModelFormat(Extension(path));
  if (!format.ok()) return std::nullopt;
  return *format;
}

absl::StatusOr<Graph> LoadModel(const Context& context, const std::string& path, const LoadOptions& options) {
  absl::StatusOr<Buffer> bytes = MapFile(path, context.limits().max_file_bytes);
  if (!bytes.ok()) return bytes.status();
  absl::StatusOr<Graph> graph = Read(context, *bytes, path, path, options);
  if (!graph.ok()) return AtFile(graph.status(), path);
  return graph;
}

absl::StatusOr<Graph> LoadModelFromMemory(const Context& context, Buffer bytes, const std::string& name,
                                          const LoadOptions& options) {
  return Read(context, bytes, name, /*path=*/"", options);
}

}  // namespace qlite
