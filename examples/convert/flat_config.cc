// The older, flat configuration file: "key=value" lines without sections, raw tensors alone.
#include <optional>

#include "common/config_values.h"
#include "common/text.h"
#include "convert/converter_config.h"

namespace qlite::cli {
namespace {

using Key = ConfigKey<ConvertRequest>;

absl::Status ReadImagePath(const ConfigEntry& entry, ConvertRequest& request) {
  for (const std::string& folder : Split(entry.value(), ',')) {
    if (Trim(folder).empty()) return entry.Illegal("has an empty folder.");
    request.data.folders.emplace_back(std::string(), Trim(folder));
  }
  return absl::OkStatus();
}

absl::Status ReadMethod(const ConfigEntry& entry, ConvertRequest& request) {
  return ReadWord<std::string>(entry, {{"KL", "KL"}, {"MAX_MIN", "MAX_MIN"}, {"RemovalOutlier", "REMOVAL_OUTLIER"}},
                               request.quantizer.activation_method);
}

const Key kKeys[] = {
    {"image_path", ReadImagePath},
    {"batch_count",
     [](const ConfigEntry& e, ConvertRequest& r) {
       r.data.fewer_allowed = false;
       return ReadInteger(e, 1, 1 << 30, r.data.count);
     }},
    {"method_x", ReadMethod},
    {"thread_num", [](const ConfigEntry& e, ConvertRequest& r) { return ReadInteger(e, 1, 1024, r.num_threads); }},
    {"bias_correction",
     [](const ConfigEntry& e, ConvertRequest& r) { return ReadBool(e, r.quantizer.bias_correction); }},
    {"mixed",
     [](const ConfigEntry& e, ConvertRequest&) {
       bool mixed = false;
       if (absl::Status status = ReadBool(e, mixed); !status.ok()) return status;
       return mixed ? e.NotYet("the search for mixed bits") : absl::OkStatus();
     }},
    {"mean_error_threshold",
     [](const ConfigEntry& e, ConvertRequest& r) {
       const std::optional<double> threshold = ParseNumber(e.value());
       if (!threshold || *threshold <= 0) return e.Illegal("should be a number above 0.");
       r.notices.push_back("mean_error_threshold belongs to mixed=true and has no effect");
       return absl::OkStatus();
     }},
    {"input_shapes",
     [](const ConfigEntry& e, ConvertRequest&) { return e.NotYet("calibration with changing shapes"); }},
};

}  // namespace

absl::Status ApplyFlatConfig(std::string_view text, const std::string& path, ConvertRequest& request) {
  absl::StatusOr<std::vector<IniSection>> sections = ParseIni(text, path);
  if (!sections.ok()) return sections.status();
  request.quantizer.activation_method = "KL";
  request.quantizer.bias_correction = false;
  request.data.kind = DataRequest::Kind::kRaw;
  request.data.count = 100;
  request.data.fewer_allowed = true;  // of the default number
  for (const IniSection& section : *sections) {
    if (!section.name.empty()) {
      return absl::InvalidArgumentError(Join({path, ":", std::to_string(section.line), ": section [", section.name,
                                              "] in a flat file; without --quantType the sectioned form is read"}));
    }
    if (absl::Status status = ApplySection(kKeys, section, path, request); !status.ok()) return status;
  }
  if (request.data.folders.empty()) {
    return absl::InvalidArgumentError(
        Join({path, ": image_path must be given: a folder of raw tensors for each input"}));
  }
  return absl::OkStatus();
}

}  // namespace qlite::cli
