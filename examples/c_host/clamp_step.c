#include "clamp_step.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct state {
  float min, max; /* the bounds */
  int32_t learnt; /* whether they come from samples */
};

static qlite_status create(void* user, void** state) {
  (void)user;
  struct state* s = malloc(sizeof(*s));
  if (s == NULL) return QLITE_OUT_OF_MEMORY;
  *s = (struct state){-1.0f, 1.0f, 0};
  *state = s;
  return QLITE_OK;
}

static qlite_status apply(const void* state, const qlite_sample_buffer* inputs, size_t count) {
  const struct state* s = state;
  for (size_t i = 0; i < count; ++i) {
    if (inputs[i].type != QLITE_FLOAT32) continue;
    float* values = inputs[i].data;
    for (size_t k = 0; k < inputs[i].size / sizeof(float); ++k) values[k] = fminf(fmaxf(values[k], s->min), s->max);
  }
  return QLITE_OK;
}

static void widen(struct state* s, float min, float max) {
  s->min = s->learnt ? fminf(s->min, min) : min;
  s->max = s->learnt ? fmaxf(s->max, max) : max;
  s->learnt = 1;
}

static qlite_status observe(void* state, const qlite_sample_buffer* inputs, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (inputs[i].type != QLITE_FLOAT32) continue;
    const float* values = inputs[i].data;
    for (size_t k = 0; k < inputs[i].size / sizeof(float); ++k) widen(state, values[k], values[k]);
  }
  return QLITE_OK;
}

static qlite_status merge(void* state, const void* other) {
  const struct state* o = other;
  if (o->learnt) widen(state, o->min, o->max);
  return QLITE_OK;
}

static qlite_status save(const void* state, qlite_write_function write, void* sink) {
  return write(sink, state, sizeof(struct state));
}

static qlite_status load(void* state, const void* data, size_t size) {
  struct state s;
  if (size != sizeof(s)) return QLITE_DATA_LOSS;
  memcpy(&s, data, sizeof(s));
  if (!isfinite(s.min) || !isfinite(s.max) || s.min > s.max || (s.learnt != 0 && s.learnt != 1)) return QLITE_DATA_LOSS;
  memcpy(state, &s, sizeof(s));
  return QLITE_OK;
}

const qlite_preprocessor_type clamp_step = {
    .struct_size = sizeof(qlite_preprocessor_type),
    .create = create,
    .destroy = free,
    .apply = apply,
    .save = save,
    .load = load,
    .observe = observe,
    .merge = merge,
};
