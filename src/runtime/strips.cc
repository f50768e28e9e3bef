#include "runtime/strips.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "core/aligned_memory.h"
#include "kernels/observe_f32.h"
#include "kernels/quantized.h"
#include "runtime/row_form.h"

namespace qlite {
namespace {

// A value that the nearest caches hold anyway is not worth passing on in strips.
constexpr int64_t kLeastValueBytes = 1 << 20;
// Of the rows between all steps: part of a second-level cache, as are the weights of a step.
constexpr int64_t kMostSlabBytes = 384 << 10;
constexpr int64_t kMostConstantBytes = 128 << 10;
// Rows of the result for each thread: its first ones depend on rows that another thread makes, too.
constexpr int64_t kLeastRowsOfThread = 6;
// Rows of a strip; kernels make several at once.
constexpr int64_t kLeastStripRows = 2;
constexpr size_t kMostSteps = 8;

struct Span {
  int64_t first = 0, end = 0;
};

Span RowsRead(const RowWindow& window, const Span& rows, int64_t in_rows) {
  const int64_t first = std::clamp<int64_t>(rows.first * window.stride - window.pad, 0, in_rows);
  const int64_t end = (rows.end - 1) * window.stride - window.pad + window.extent;
  return {first, std::clamp(end, first, in_rows)};
}

// Whether all of them are read.
bool NeedsAllRows(const RowForm& form, int64_t in_rows) {
  const RowWindow& window = form.window;
  const int64_t end = (form.output.rows - 1) * window.stride - window.pad + window.extent;
  return window.extent >= window.stride && window.pad >= 0 && end >= in_rows;
}

// Grown to where ranges of the form may begin and end.
Span Aligned(const RowForm& form, const Span& rows) {
  const int64_t end = (rows.end + form.multiple - 1) / form.multiple * form.multiple;
  return {rows.first / form.multiple * form.multiple, std::min(end, form.output.rows)};
}

bool SamePlace(const Operand& a, const Operand& b) {
  return a.buffer == b.buffer && a.offset == b.offset && a.constant == b.constant;
}

// The input of `next` that `made` is, if the rows of both are the same; otherwise null.
const RowImages* FindLink(const RowImages& made, const RowForm& next) {
  const auto found = std::find_if(next.inputs.begin(), next.inputs.end(),
                                  [&](const RowImages& input) { return SamePlace(input.at, made.at); });
  const bool same = found != next.inputs.end() && found->images == made.images && found->rows == made.rows &&
                    found->row_bytes == made.row_bytes;
  return same ? &*found : nullptr;
}

// Whether the statistics of a value can be taken while it passes by in parts.
bool PartsSuffice(const Placement& place) {
  return place.type == ElementType::kFloat32 && place.layout == Layout::kChannelsLast && !LayoutsAgree(place.dims) &&
         place.dense() && place.dims[1] >= kernels::kGroupedColumns;
}

bool InPlace(const RowForm& form) { return FindLink(form.output, form) != nullptr; }

// Steps that make strips one after the other.
class StripSteps {
 public:
  // `forms`: in their order. `internal`: by form, whether its result is used by the others alone.
  StripSteps(std::vector<std::shared_ptr<const RowForm>> forms, const std::vector<char>& internal, int64_t buffer_count)
      : forms_(std::move(forms)), buffer_count_(buffer_count) {
    for (const auto& form : forms_) unit_rows_ = std::max(unit_rows_, form->multiple);
    MakeSlabs(internal);
    for (strip_rows_ = RoundUp(kLeastStripRows); strip_rows_ < last().rows; strip_rows_ += RoundUp(kLeastStripRows)) {
      if (SlabBytes(strip_rows_ + RoundUp(kLeastStripRows)) > kMostSlabBytes) break;
    }
    PlaceSlabs();
  }

  bool Fits() const { return SlabBytes(strip_rows_) <= kMostSlabBytes; }
  int64_t workspace_bytes() const { return workspace_bytes_; }

  absl::Status Run(const Frame& frame) const {
    const int64_t units = (last().rows + unit_rows_ - 1) / unit_rows_;
    double cost = 0;
    for (const auto& form : forms_) cost += form->cost;
    frame.ParallelFor(last().images * units, cost, [&](int64_t begin, int64_t end, int worker) {
      for (int64_t unit = begin; unit < end;) {
        const int64_t image = unit / units, stop = std::min(end, (image + 1) * units);
        const Span rows = {(unit - image * units) * unit_rows_,
                           std::min(last().rows, (stop - image * units) * unit_rows_)};
        RunRows(frame, worker, image, rows);
        unit = stop;
      }
    });
    return absl::OkStatus();
  }

 private:
  // Memory of the worker for rows of a value that has no other.
  struct Slab {
    int32_t buffer = -1;  // the value's; -1 where the form makes a value that has memory
    int64_t rows = 0;
    int64_t offset = 0;  // in the workspace
  };
  // What a worker has made of an image.
  struct Progress {
    std::array<int64_t, kMostSteps> made = {};   // by form: where its rows end
    std::array<int64_t, kMostSteps> first = {};  // by form: the row that its slab begins with
  };

  const RowImages& last() const { return forms_.back()->output; }
  int64_t RoundUp(int64_t rows) const { return (rows + unit_rows_ - 1) / unit_rows_ * unit_rows_; }

  void MakeSlabs(const std::vector<char>& internal) {
    slabs_.resize(forms_.size());
    for (size_t i = 0; i < forms_.size(); ++i) {
      if (internal[i] && !InPlace(*forms_[i])) slabs_[i].buffer = forms_[i]->output.at.buffer;
    }
  }

  // By form: the most rows of its result that a strip needs.
  std::array<int64_t, kMostSteps> RowsNeeded(int64_t strip_rows) const {
    std::array<int64_t, kMostSteps> needed = {};
    int64_t rows = strip_rows;
    for (size_t i = forms_.size(); i-- > 0;) {
      const RowForm& form = *forms_[i];
      if (form.multiple > 1) rows += 2 * (form.multiple - 1);
      rows = std::min(rows, form.output.rows);
      needed[i] = rows;
      rows = (rows - 1) * form.window.stride + form.window.extent;
    }
    return needed;
  }

  int64_t SlabBytes(int64_t strip_rows) const {
    const auto needed = RowsNeeded(strip_rows);
    int64_t bytes = 0;
    for (size_t i = 0; i < forms_.size(); ++i) {
      if (slabs_[i].buffer >= 0) bytes += needed[i] * forms_[i]->output.row_bytes;
    }
    return bytes;
  }

  // The workspace: that of the forms, the slabs, and the addresses of the buffers.
  void PlaceSlabs() {
    const auto needed = RowsNeeded(strip_rows_);
    const auto aligned = [](int64_t bytes) {
      return static_cast<int64_t>(RoundUpToAlignment(static_cast<size_t>(bytes)));
    };
    for (size_t i = 0; i < forms_.size(); ++i) {
      if (!forms_[i]->workspace_bytes) continue;
      workspace_bytes_ = std::max(workspace_bytes_, aligned(forms_[i]->workspace_bytes(needed[i])));
    }
    for (size_t i = 0; i < forms_.size(); ++i) {
      if (slabs_[i].buffer < 0) continue;
      slabs_[i].offset = workspace_bytes_;
      slabs_[i].rows = needed[i];
      workspace_bytes_ +=
          aligned(needed[i] * forms_[i]->output.row_bytes + static_cast<int64_t>(kernels::kReadSlackBytes));
    }
    addresses_ = workspace_bytes_;
    workspace_bytes_ += aligned(buffer_count_ * static_cast<int64_t>(sizeof(std::byte*)));
  }

  // Rows of an image, strip by strip.
  void RunRows(const Frame& frame, int worker, int64_t image, const Span& rows) const {
    auto** addresses = reinterpret_cast<std::byte**>(frame.Workspace(worker) + addresses_);
    std::copy_n(frame.buffers(), buffer_count_, addresses);
    const Frame own = frame.WithBuffers(addresses);
    Progress progress;
    for (Span strip = {rows.first, 0}; strip.first < rows.end; strip.first = strip.end) {
      strip.end = std::min(rows.end, strip.first + strip_rows_);
      const auto needed = NeededFor(strip);
      for (size_t i = 0; i < forms_.size(); ++i) {
        if (slabs_[i].buffer >= 0) {
          MoveSlab(i, image, needed[i].first, frame.Workspace(worker), addresses, &progress);
        }
        const int64_t first = std::max(needed[i].first, progress.made[i]);
        if (first >= needed[i].end) continue;
        forms_[i]->run(own, {image, first, needed[i].end}, worker);
        progress.made[i] = needed[i].end;
        if (frame.parts() == nullptr) continue;
        const RowImages& output = forms_[i]->output;
        frame.parts()->tell(i, own.In<std::byte>(output.at), (image * output.rows + needed[i].end) * output.row_bytes);
      }
    }
  }

  // By form: the rows of its result that a strip of the last one's needs.
  std::array<Span, kMostSteps> NeededFor(const Span& strip) const {
    std::array<Span, kMostSteps> needed;
    needed[forms_.size() - 1] = strip;
    for (size_t i = forms_.size() - 1; i > 0; --i) {
      const RowForm& maker = *forms_[i - 1];
      needed[i - 1] = Aligned(maker, RowsRead(forms_[i]->window, needed[i], maker.output.rows));
    }
    return needed;
  }

  // Makes the slab of a form begin with a row: those that are made of it and the following ones stay.
  void MoveSlab(size_t i, int64_t image, int64_t first, std::byte* workspace, std::byte** addresses,
                Progress* progress) const {
    const RowImages& value = forms_[i]->output;
    std::byte* slab = workspace + slabs_[i].offset;
    if (const int64_t kept = progress->made[i] - first; kept > 0 && first > progress->first[i]) {
      std::memmove(slab, slab + (first - progress->first[i]) * value.row_bytes,
                   static_cast<size_t>(kept * value.row_bytes));
    }
    progress->first[i] = first;
    // Where the whole value would begin.
    const int64_t before = (image * value.rows + first) * value.row_bytes;
    addresses[slabs_[i].buffer] = reinterpret_cast<std::byte*>(reinterpret_cast<intptr_t>(slab) - before);
  }

  std::vector<std::shared_ptr<const RowForm>> forms_;
  std::vector<Slab> slabs_;  // by form
  int64_t buffer_count_;
  int64_t unit_rows_ = 1;  // what begins at a multiple of it can be made alone
  int64_t strip_rows_ = 0;
  int64_t workspace_bytes_ = 0;
  int64_t addresses_ = 0;  // where they are in the workspace
};

class Joiner {
 public:
  Joiner(Program& program, int threads)
      : program_(program), threads_(threads), stays_whole_(program.buffers.size()), tap_of_(program.buffers.size()) {}

  void Run() {
    FindTaps();
    ChooseGroups();
    std::vector<Step> joined;
    std::vector<int32_t> place(program_.steps.size());  // of the old steps
    for (size_t begin = 0, end; begin < program_.steps.size(); begin = end) {
      end = group_end_[begin];
      std::fill(place.begin() + static_cast<int64_t>(begin), place.begin() + static_cast<int64_t>(end),
                static_cast<int32_t>(joined.size()));
      joined.push_back(end - begin > 1 ? Join(begin, end) : std::move(program_.steps[begin]));
    }
    program_.steps = std::move(joined);
    for (PlannedBuffer& buffer : program_.buffers) {
      if (buffer.first_step < 0) continue;
      buffer.first_step = place[static_cast<size_t>(buffer.first_step)];
      buffer.last_step = place[static_cast<size_t>(buffer.last_step)];
    }
  }

 private:
  // Which buffers hold a value that has to stay whole, and the taps of the others.
  void FindTaps() {
    for (TapPoint& tap : program_.taps) {
      if (tap.at.at.buffer < 0) continue;
      const auto buffer = static_cast<size_t>(tap.at.at.buffer);
      // Of several values in a buffer one is made of the other.
      if (!PartsSuffice(tap.at) || tap_of_[buffer] != nullptr) stays_whole_[buffer] = 1;
      tap_of_[buffer] = &tap;
    }
  }

  const Step& StepAt(size_t i) const { return program_.steps[i]; }
  const RowForm& Form(size_t i) const { return *program_.steps[i].by_rows; }
  const PlannedBuffer& BufferOf(const Operand& operand) const {
    return program_.buffers[static_cast<size_t>(operand.buffer)];
  }

  // The groups that keep the most bytes out of the memory beyond the cache: for every number of steps the best division
  // of so many, of which the last group is kept.
  void ChooseGroups() {
    const size_t count = program_.steps.size();
    std::vector<int64_t> most(count + 1, 0);
    std::vector<size_t> begins(count + 1, 0);
    for (size_t i = 0; i <= count; ++i) begins[i] = i == 0 ? 0 : i - 1;
    for (size_t begin = 0; begin < count; ++begin) {
      if (most[begin] > most[begin + 1]) most[begin + 1] = most[begin], begins[begin + 1] = begin;
      int64_t saved = most[begin];
      for (size_t next = begin + 1; next < count && Joins(begin, next); ++next) {
        saved += Form(next - 1).output.bytes();
        if (saved > most[next + 1]) most[next + 1] = saved, begins[next + 1] = begin;
      }
    }
    group_end_.assign(count, 0);
    for (size_t end = count; end > 0; end = begins[end]) group_end_[begins[end]] = end;
  }

  // Whether step `next` can and shall go on with what the group [begin, next) makes.
  bool Joins(size_t begin, size_t next) const {
    if (next - begin >= kMostSteps || !StepAt(next - 1).by_rows || !StepAt(next).by_rows) return false;
    const RowForm& maker = Form(next - 1);
    const RowForm& form = Form(next);
    if (FindLink(maker.output, form) == nullptr || maker.output.at.buffer < 0) return false;
    if (maker.output.bytes() < kLeastValueBytes ||
        std::max(maker.constant_bytes, form.constant_bytes) > kMostConstantBytes ||
        form.output.images * form.output.rows < threads_ * kLeastRowsOfThread) {
      return false;
    }
    // Rows of neighbouring strips are made twice at the borders of threads: only where nobody else sees them.
    const auto internal = Internal(begin, next + 1);
    const bool alone = std::all_of(internal.begin(), internal.end() - 1, [](char yes) { return yes != 0; });
    if (!form.window.one_to_one() && !alone) return false;
    // What stays whole for a tap goes to memory anyway, or the next step would overwrite it before it is tapped. In
    // parts a tap sees the rows that the next step needs.
    if (!program_.taps.empty() && !(alone && NeedsAllRows(form, maker.output.rows))) return false;
    return OrderIsKept(begin, next) && MakeSteps(begin, next + 1).Fits();
  }

  // What steps of a group write is read by the next one alone, and overwrites nothing that they read.
  bool OrderIsKept(size_t begin, size_t next) const {
    const int32_t link = Form(next - 1).output.at.buffer, output = Form(next).output.at.buffer;
    for (size_t i = begin; i < next; ++i) {
      const int32_t made = Form(i).output.at.buffer;
      const auto& touched = StepAt(next).touched;
      if (made != link && std::find(touched.begin(), touched.end(), made) != touched.end()) return false;
      const auto& others = StepAt(i).touched;
      if (output != link && std::find(others.begin(), others.end(), output) != others.end()) return false;
    }
    return true;
  }

  // By step of a group: whether its result lies in a buffer that the group alone uses.
  std::vector<char> Internal(size_t begin, size_t end) const {
    std::vector<char> internal;
    for (size_t i = begin; i < end; ++i) {
      const RowImages& output = Form(i).output;
      const PlannedBuffer& buffer = BufferOf(output.at);
      internal.push_back(buffer.home == BufferHome::kArena && output.at.offset == 0 &&
                         !stays_whole_[static_cast<size_t>(output.at.buffer)] &&
                         buffer.first_step >= static_cast<int32_t>(begin) &&
                         buffer.last_step < static_cast<int32_t>(end) && i + 1 < end);
    }
    return internal;
  }

  StripSteps MakeSteps(size_t begin, size_t end) const {
    std::vector<std::shared_ptr<const RowForm>> forms;
    for (size_t i = begin; i < end; ++i) forms.push_back(StepAt(i).by_rows);
    return {std::move(forms), Internal(begin, end), std::ssize(program_.buffers)};
  }

  Step Join(size_t begin, size_t end) {
    const auto steps = std::make_shared<const StripSteps>(MakeSteps(begin, end));
    program_.workspace_bytes = std::max(program_.workspace_bytes, steps->workspace_bytes());
    const std::vector<char> internal = Internal(begin, end);
    for (size_t i = begin; i < end; ++i) {
      if (!internal[i - begin]) continue;
      const auto at = static_cast<size_t>(Form(i).output.at.buffer);
      program_.buffers[at].first_step = program_.buffers[at].last_step = -1;
      if (tap_of_[at] != nullptr) tap_of_[at]->in_parts = true;
    }
    Step joined;
    joined.node = StepAt(begin).node;
    joined.joined = end - begin;
    joined.run = [steps](const Frame& frame) { return steps->Run(frame); };
    return joined;
  }

  Program& program_;
  int threads_;
  std::vector<char> stays_whole_;  // by buffer
  std::vector<TapPoint*> tap_of_;  // by buffer; null where there is none
  std::vector<size_t> group_end_;  // by first step
};

}  // namespace

void JoinStrips(Program& program, int threads) { Joiner(program, threads).Run(); }

}  // namespace qlite
