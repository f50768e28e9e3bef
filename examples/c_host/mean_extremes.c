#include "mean_extremes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Sums in whole 2^-20: integers can be added in any order, which an observer's state must allow. */
struct state {
  int64_t minima, maxima, samples;
};

static const double unit = 1.0 / (1 << 20);
/* Beyond any activation, and so small that the sums of a million samples fit. */
static const double largest = 1 << 22;
enum { most_samples = 1 << 20 };

static int64_t to_units(float value) { return llround(fmin(fmax(value, -largest), largest) / unit); }

static qlite_status create(void* user, void** state) {
  (void)user;
  *state = calloc(1, sizeof(struct state));
  return *state == NULL ? QLITE_OUT_OF_MEMORY : QLITE_OK;
}

static qlite_status observe(void* state, const float* values, size_t count, float min, float max) {
  struct state* s = state;
  (void)values;
  (void)count;
  if (s->samples == most_samples) return QLITE_RESOURCE_EXHAUSTED;
  s->minima += to_units(min);
  s->maxima += to_units(max);
  ++s->samples;
  return QLITE_OK;
}

static qlite_status merge(void* state, const void* other) {
  struct state* s = state;
  const struct state* o = other;
  if (s->samples + o->samples > most_samples) return QLITE_RESOURCE_EXHAUSTED;
  s->minima += o->minima;
  s->maxima += o->maxima;
  s->samples += o->samples;
  return QLITE_OK;
}

static qlite_status save(const void* state, qlite_write_function write, void* sink) {
  return write(sink, state, sizeof(struct state));
}

static qlite_status load(void* state, const void* data, size_t size) {
  struct state s;
  if (size != sizeof(s)) return QLITE_DATA_LOSS;
  memcpy(&s, data, sizeof(s));
  const int64_t bound = (int64_t)most_samples << 42;
  if (s.samples < 0 || s.samples > most_samples || s.minima > s.maxima) return QLITE_DATA_LOSS;
  if (s.minima < -bound || s.maxima > bound) return QLITE_DATA_LOSS;
  memcpy(state, &s, sizeof(s));
  return QLITE_OK;
}

static qlite_status compute(const void* state, int32_t bits, float* min, float* max) {
  (void)bits;
  const struct state* s = state;
  if (s->samples == 0) return QLITE_FAILED_PRECONDITION;
  *min = (float)((double)s->minima * unit / (double)s->samples);
  *max = (float)((double)s->maxima * unit / (double)s->samples);
  return QLITE_OK;
}

const qlite_observer_type mean_extremes = {
    .struct_size = sizeof(qlite_observer_type),
    .create = create,
    .destroy = free,
    .observe = observe,
    .merge = merge,
    .save = save,
    .load = load,
    .compute = compute,
};
