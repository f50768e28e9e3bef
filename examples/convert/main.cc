// qlite_convert: converts a model and quantizes it. See docs/converter.md.
#include <cstdio>
#include <string>

#include "common/exit_status.h"
#include "convert/convert.h"
#include "convert/converter_flags.h"

using qlite::cli::ExitCode;

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // where a log takes both streams, lines keep their order
  const absl::StatusOr<qlite::cli::ConverterCommand> command = qlite::cli::ReadConverterCommand(argc, argv);
  if (!command.ok()) {
    constexpr ExitCode kCode = ExitCode::kInputParamInvalid;
    std::fprintf(stderr, "%s\nFlags Init failed. Ret: %d\n", std::string(command.status().message()).c_str(),
                 static_cast<int>(kCode));
    return qlite::cli::ProcessStatus(kCode);
  }
  if (command->help) {
    std::fputs(command->usage.c_str(), stdout);
    return 0;
  }
  const absl::Status status = qlite::cli::Convert(command->request);
  if (!status.ok()) {
    const ExitCode code = qlite::cli::CodeOf(status);
    std::fprintf(stderr, "%s\nConvert failed. Ret: %d, %s\n", std::string(status.message()).c_str(),
                 static_cast<int>(code), qlite::cli::TextOf(code));
    return qlite::cli::ProcessStatus(code);
  }
  std::printf("CONVERT RESULT SUCCESS:0\n");
  return 0;
}
