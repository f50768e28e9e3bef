#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <memory>

#include "qlite/context.h"

namespace qlite {
namespace {

spdlog::level::level_enum LevelOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

}  // namespace

LogSink MakeStderrLogSink(LogLevel lowest) {
  // A logger of its own: spdlog's registry is a global that belongs to the host.
  auto logger = std::make_shared<spdlog::logger>("qlite", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("[%l] %v");
  logger->set_level(LevelOf(lowest));
  return [logger](LogLevel level, std::string_view message) {
    logger->log(LevelOf(level), spdlog::string_view_t(message.data(), message.size()));
  };
}

}  // namespace qlite
