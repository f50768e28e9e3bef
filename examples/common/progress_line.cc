#include "common/progress_line.h"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>

namespace qlite::cli {
namespace {

volatile std::sig_atomic_t interrupted = 0;

double Seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

ProgressLine::ProgressLine() : terminal_(isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() { Clear(); }

void ProgressLine::Show(const Progress& progress) {
  if (!terminal_) return;
  constexpr double kInterval = 0.1;
  const double now = Seconds();
  const bool stage_changed = stage_ != progress.stage;
  if (!stage_changed && progress.done != progress.total && now - last_seconds_ < kInterval) return;
  last_seconds_ = now;
  stage_ = std::string(progress.stage);
  if (progress.total > 0) {
    std::fprintf(stderr, "\r\033[K%s %lld/%lld", stage_.c_str(), static_cast<long long>(progress.done),
                 static_cast<long long>(progress.total));
  } else {
    std::fprintf(stderr, "\r\033[K%s", stage_.c_str());
  }
  std::fflush(stderr);
  shown_ = true;
}

void ProgressLine::Clear() {
  if (!shown_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  shown_ = false;
}

void CatchInterrupts() {
  const auto note = [](int) { interrupted = 1; };
  std::signal(SIGINT, note);
  std::signal(SIGTERM, note);
}

bool Interrupted() { return interrupted != 0; }
void ForgetInterrupt() { interrupted = 0; }

}  // namespace qlite::cli
