// The command line of the programs: "--name=value", as the reference converter and benchmark read it.
#ifndef QLITE_EXAMPLES_COMMON_FLAG_PARSER_H_
#define QLITE_EXAMPLES_COMMON_FLAG_PARSER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"

namespace qlite::cli {

// The most that flags may ask for.
inline constexpr int64_t kMaxThreads = 1024, kMaxMemoryMb = int64_t{1} << 40;

// Flags are declared with a default, then read from the arguments:
//   FlagParser flags("qlite_convert", "Converts and quantizes a model.");
//   flags.Add("modelFile", &model_file, "PATH", "the model to read");
//   absl::Status status = flags.Parse(argc, argv);
//
// Blanks around an argument are trimmed; names are case-sensitive; "--" ends the flags. A boolean is "--x", "--no-x" or
// "--x=true|false|1|0". Errors carry the reference's texts, and the nearest name for an unknown one.
class FlagParser {
 public:
  FlagParser(std::string program, std::string purpose);

  // The targets must outlive the parser and hold the defaults. `value_name` and `help` go into the usage.
  void Add(std::string name, std::string* target, std::string value_name, std::string help);
  void Add(std::string name, int64_t* target, std::string value_name, std::string help);
  void Add(std::string name, double* target, std::string value_name, std::string help);
  void Add(std::string name, bool* target, std::string help);
  // A text flag that may stand without a value and then means `implied`.
  void AddOptional(std::string name, std::string* target, std::string implied, std::string value_name,
                   std::string help);
  // Begins a headed group in the usage.
  void Group(std::string title);

  absl::Status Parse(int argc, const char* const* argv);

  // "--help" was given.
  bool help_wanted() const { return help_wanted_; }
  // The flag stood on the command line.
  bool given(std::string_view name) const;
  std::string Usage() const;

 private:
  struct Flag {
    std::string name, value_name, help, group;
    std::variant<std::string*, int64_t*, double*, bool*> target;
    bool given = false;
    std::string implied = {};  // the value where none is written; empty: one must be
  };
  void AddFlag(Flag flag);
  Flag* Find(std::string_view name);
  absl::Status ParseOne(std::string_view argument);
  absl::Status Unknown(std::string_view name) const;

  std::string program_, purpose_, group_;
  std::vector<Flag> flags_;
  bool help_wanted_ = false;
};

}  // namespace qlite::cli

#endif  // QLITE_EXAMPLES_COMMON_FLAG_PARSER_H_
