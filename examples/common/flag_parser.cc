#include "common/flag_parser.h"

#include <utility>

#include "common/text.h"

namespace qlite::cli {
namespace {

// Stores the text in the flag's variable; false where it does not convert.
bool Store(const std::variant<std::string*, int64_t*, double*, bool*>& target, std::string_view text) {
  if (std::string* const* string = std::get_if<std::string*>(&target)) {
    **string = std::string(text);
    return true;
  }
  if (int64_t* const* integer = std::get_if<int64_t*>(&target)) {
    const std::optional<int64_t> value = ParseInteger(text);
    if (value) **integer = *value;
    return value.has_value();
  }
  if (double* const* number = std::get_if<double*>(&target)) {
    const std::optional<double> value = ParseNumber(text);
    if (value) **number = *value;
    return value.has_value();
  }
  std::optional<bool> value = text == "1" ? true : text == "0" ? std::optional(false) : ParseBool(text);
  if (value) *std::get<bool*>(target) = *value;
  return value.has_value();
}

}  // namespace

FlagParser::FlagParser(std::string program, std::string purpose)
    : program_(std::move(program)), purpose_(std::move(purpose)) {}

void FlagParser::AddFlag(Flag flag) {
  flag.group = group_;
  flags_.push_back(std::move(flag));
}

void FlagParser::Add(std::string name, std::string* target, std::string value_name, std::string help) {
  AddFlag({std::move(name), std::move(value_name), std::move(help), {}, target});
}
void FlagParser::Add(std::string name, int64_t* target, std::string value_name, std::string help) {
  AddFlag({std::move(name), std::move(value_name), std::move(help), {}, target});
}
void FlagParser::Add(std::string name, double* target, std::string value_name, std::string help) {
  AddFlag({std::move(name), std::move(value_name), std::move(help), {}, target});
}
void FlagParser::Add(std::string name, bool* target, std::string help) {
  AddFlag({std::move(name), {}, std::move(help), {}, target});
}

void FlagParser::AddOptional(std::string name, std::string* target, std::string implied, std::string value_name,
                             std::string help) {
  AddFlag({std::move(name), std::move(value_name), std::move(help), {}, target, false, std::move(implied)});
}

void FlagParser::Group(std::string title) { group_ = std::move(title); }

FlagParser::Flag* FlagParser::Find(std::string_view name) {
  for (Flag& flag : flags_) {
    if (flag.name == name) return &flag;
  }
  return nullptr;
}

bool FlagParser::given(std::string_view name) const {
  for (const Flag& flag : flags_) {
    if (flag.name == name) return flag.given;
  }
  return false;
}

absl::Status FlagParser::Unknown(std::string_view name) const {
  std::vector<std::string> known;
  for (const Flag& flag : flags_) known.push_back(flag.name);
  return Refuse({name, " is not a valid flag", Suggestion(name, known)});
}

absl::Status FlagParser::ParseOne(std::string_view argument) {
  const std::string_view body = argument.substr(2);
  const size_t equals = body.find('=');
  std::string_view name = body.substr(0, equals);
  const bool has_value = equals != std::string_view::npos;
  const std::string_view value = has_value ? body.substr(equals + 1) : std::string_view();
  if (name == "help" && !has_value) {
    help_wanted_ = true;
    return absl::OkStatus();
  }
  Flag* flag = Find(name);
  bool negated = false;
  if (flag == nullptr && name.starts_with("no-")) {
    name.remove_prefix(3);
    flag = Find(name);
    negated = flag != nullptr;
  }
  if (flag == nullptr) return Unknown(body.substr(0, equals));
  if (flag->given) return Refuse({"Failed: already parsed flag: ", name});
  flag->given = true;
  bool* const* boolean = std::get_if<bool*>(&flag->target);
  if (negated) {
    if (boolean == nullptr) return Refuse({name, " is not a boolean type"});
    if (has_value) return Refuse({"Boolean flag can not have non-empty value: --no-", name});
    **boolean = false;
    return absl::OkStatus();
  }
  if (!has_value) {
    if (boolean == nullptr && flag->implied.empty()) return Refuse({"No value provided for non-boolean type: ", name});
    if (boolean == nullptr)
      return Store(flag->target, flag->implied) ? absl::OkStatus() : absl::InternalError(flag->implied);
    **boolean = true;
    return absl::OkStatus();
  }
  if (!Store(flag->target, value)) return Refuse({"Failed to parse value for: ", name, " (found '", value, "')"});
  return absl::OkStatus();
}

absl::Status FlagParser::Parse(int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = Trim(argv[i]);
    if (argument.empty()) continue;
    if (argument == "--") break;
    if (!argument.starts_with("--")) return Refuse({"Failed: flag ", argument, " is not valid."});
    if (absl::Status status = ParseOne(argument); !status.ok()) return status;
  }
  return absl::OkStatus();
}

std::string FlagParser::Usage() const {
  std::string text = Join({purpose_, "\n\nUsage: ", program_, " --name=value ...\n"});
  std::string_view group;
  for (const Flag& flag : flags_) {
    if (flag.group != group) text += Join({"\n", flag.group, "\n"});
    group = flag.group;
    std::string head = Join({"  --", flag.name, flag.value_name.empty() ? "" : "=", flag.value_name});
    constexpr size_t kColumn = 36;
    head.resize(head.size() < kColumn ? kColumn : head.size() + 1, ' ');
    text += Join({head, flag.help, "\n"});
  }
  return text;
}

}  // namespace qlite::cli
