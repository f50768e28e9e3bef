// One line on the terminal that shows how far a long operation is; silent where standard error is not a terminal.
#ifndef QLITE_EXAMPLES_COMMON_PROGRESS_LINE_H_
#define QLITE_EXAMPLES_COMMON_PROGRESS_LINE_H_

#include <string>

#include "qlite/context.h"

namespace qlite::cli {

class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Shows the progress, at most some ten times a second and at the end of a stage.
  void Show(const Progress& progress);
  // Erases the line, before anything else is printed.
  void Clear();

 private:
  bool terminal_;
  bool shown_ = false;
  std::string stage_;
  double last_seconds_ = 0;
};

// From now on an interrupt (Ctrl-C) or a request to terminate asks the running operation to stop instead of ending the
// program.
void CatchInterrupts();
// Such a request has come.
bool Interrupted();
// It has been answered: what follows runs to its end, or to the next one.
void ForgetInterrupt();

}  // namespace qlite::cli

#endif  // QLITE_EXAMPLES_COMMON_PROGRESS_LINE_H_
