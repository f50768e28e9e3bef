// Feeds arbitrary text to the readers of configuration files, of both forms, and of --inputShape.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/input_shape.h"
#include "convert/converter_config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  qlite::cli::ConvertRequest sectioned, flat;
  qlite::cli::ApplySectionedConfig(text, "fuzz.cfg", sectioned).IgnoreError();
  qlite::cli::ApplyFlatConfig(text, "fuzz.cfg", flat).IgnoreError();
  qlite::cli::ParseInputShapes(text).IgnoreError();
  return 0;
}
