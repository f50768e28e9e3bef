#include "common/data_request.h"

#include <algorithm>

#include "common/config_values.h"
#include "common/text.h"

namespace qlite::cli {
namespace {

constexpr int64_t kMaxCount = 65535;  // the reference's bound for sizes and counts

// The parts between commas. A path may stand in single quotes, which begin right behind a ':', and then hold commas.
std::vector<std::string> SplitFolders(std::string_view text) {
  std::vector<std::string> parts(1);
  bool quoted = false;
  for (const char c : text) {
    if (c == ',' && !quoted) {
      parts.emplace_back();
      continue;
    }
    if (c == '\'') quoted = !quoted && Trim(parts.back()).ends_with(':');
    parts.back() += c;
  }
  return parts;
}

// Where the ':' between an input's name and its folder stands: before a folder in single quotes, or else the last one.
size_t FindColon(std::string_view part) {
  if (!part.ends_with('\'')) return part.rfind(':');
  const size_t last = part.size() - 1, quote = part.find('\'');
  if (quote == 0 || quote == last) return std::string_view::npos;
  const size_t before = part.find_last_not_of(" \t", quote - 1);
  return before != std::string_view::npos && part[before] == ':' ? before : std::string_view::npos;
}

// "name:dir,name2:'dir2'".
absl::Status ReadFolders(const ConfigEntry& entry, DataRequest& request) {
  request.folders.clear();
  for (const std::string& written : SplitFolders(entry.value())) {
    const std::string_view part = Trim(written);
    const size_t colon = FindColon(part);
    if (colon == std::string_view::npos) {
      return entry.Illegal("must look like input_name_1:input_1_dir,input_name_2:input_2_dir.");
    }
    std::string_view folder = Trim(part.substr(colon + 1));
    if (folder.size() >= 2 && folder.front() == '\'' && folder.back() == '\'')
      folder = folder.substr(1, folder.size() - 2);
    const std::string_view name = Trim(part.substr(0, colon));
    if (name.empty() || folder.empty()) return entry.Illegal("has an empty input name or folder.");
    request.folders.emplace_back(name, folder);
  }
  return absl::OkStatus();
}

using Key = ConfigKey<DataRequest>;

const Key kKeys[] = {
    {"calibrate_path", ReadFolders},
    {"calibrate_size", [](const ConfigEntry& e, DataRequest& r) { return ReadInteger(e, 1, kMaxCount, r.count); }},
    {"input_type",
     [](const ConfigEntry& e, DataRequest& r) {
       return ReadWord<DataRequest::Kind>(e, {{"IMAGE", DataRequest::Kind::kImages}, {"BIN", DataRequest::Kind::kRaw}},
                                          r.kind);
     }},
    {"image_to_format",
     [](const ConfigEntry& e, DataRequest& r) {
       return ReadWord<ColorOrder>(
           e, {{"RGB", ColorOrder::kRgb}, {"GRAY", ColorOrder::kGray}, {"BGR", ColorOrder::kBgr}}, r.image.order);
     }},
    {"normalize_mean", [](const ConfigEntry& e, DataRequest& r) { return ReadNumbers(e, r.image.mean); }},
    {"normalize_std", [](const ConfigEntry& e, DataRequest& r) { return ReadNumbers(e, r.image.std); }},
    {"resize_width",
     [](const ConfigEntry& e, DataRequest& r) { return ReadInteger(e, 1, kMaxCount, r.image.resize_width); }},
    {"resize_height",
     [](const ConfigEntry& e, DataRequest& r) { return ReadInteger(e, 1, kMaxCount, r.image.resize_height); }},
    {"resize_shorter_side",
     [](const ConfigEntry& e, DataRequest& r) { return ReadInteger(e, 1, kMaxCount, r.image.resize_shorter_side); }},
    {"resize_method",
     [](const ConfigEntry& e, DataRequest& r) {
       return ReadWord<ResizeMethod>(
           e, {{"LINEAR", ResizeMethod::kLinear}, {"NEAREST", ResizeMethod::kNearest}, {"CUBIC", ResizeMethod::kCubic}},
           r.image.resize_method);
     }},
    {"center_crop_width",
     [](const ConfigEntry& e, DataRequest& r) { return ReadInteger(e, 1, kMaxCount, r.image.crop_width); }},
    {"center_crop_height",
     [](const ConfigEntry& e, DataRequest& r) { return ReadInteger(e, 1, kMaxCount, r.image.crop_height); }},
};

// What only makes sense together.
absl::Status CheckTogether(const ImageOptions& image, const std::string& path) {
  if ((image.resize_width == 0) != (image.resize_height == 0)) {
    return Refuse({path, ": resize_width and resize_height must be given together"});
  }
  if (image.resize_shorter_side != 0 && image.resize_width != 0) {
    return Refuse({path, ": resize_shorter_side and resize_width/resize_height exclude each other"});
  }
  if ((image.crop_width == 0) != (image.crop_height == 0)) {
    return Refuse({path, ": center_crop_width and center_crop_height must be given together"});
  }
  if (image.mean.empty() != image.std.empty()) {
    return Refuse({path, ": normalize_mean and normalize_std must be given together"});
  }
  if (std::find(image.std.begin(), image.std.end(), 0.0f) != image.std.end()) {
    return Refuse({path, ": normalize_std must not be 0"});
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadDataSection(const IniSection& section, const std::string& path, DataRequest& request) {
  if (absl::Status status = ApplySection(kKeys, section, path, request); !status.ok()) return status;
  return CheckTogether(request.image, path);
}

}  // namespace qlite::cli
