// How well a language model predicts text: the mean negative logarithm of the probability that it gives to each next
// token, in nats.
//
//   qlite_token_loss MODEL TOKENS [FIRST_LINE [COUNT [LENGTH]]]
//
// MODEL maps token numbers [N, T] to scores [N, T, vocabulary] of the token that follows each. TOKENS is a text of one
// sequence a line; LENGTH (160) tokens of each are read and as many predicted, so that a line has at least one more.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "qlite/data_set.h"
#include "qlite/model_io.h"
#include "qlite/session.h"

namespace {

struct Arguments {
  std::string model, tokens;
  int64_t first_line = 1, count = 0, length = 160;
};

// -log softmax(scores)[target].
double Loss(std::span<const float> scores, int64_t target) {
  const double largest = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (const float score : scores) sum += std::exp(score - largest);
  return std::log(sum) - (scores[static_cast<size_t>(target)] - largest);
}

// The sum over one sequence; `tokens` has one more than the model reads.
absl::StatusOr<double> SequenceLoss(std::span<const float> scores, std::span<const int64_t> tokens) {
  const size_t predicted = tokens.size() - 1;
  const size_t vocabulary = scores.size() / predicted;
  if (vocabulary * predicted != scores.size()) {
    return absl::InvalidArgumentError("the model's output does not hold one list of scores for every token");
  }
  double sum = 0;
  for (size_t i = 0; i < predicted; ++i) {
    const int64_t target = tokens[i + 1];
    if (target < 0 || static_cast<size_t>(target) >= vocabulary) {
      return absl::InvalidArgumentError("token " + std::to_string(target) + " is outside the vocabulary of " +
                                        std::to_string(vocabulary));
    }
    sum += Loss(scores.subspan(i * vocabulary, vocabulary), target);
  }
  return sum;
}

absl::Status Evaluate(const Arguments& arguments) {
  qlite::ContextOptions options;
  options.num_threads = 0;
  const absl::StatusOr<qlite::Context> context = qlite::Context::Create(options);
  if (!context.ok()) return context.status();
  const absl::StatusOr<qlite::Graph> graph = qlite::LoadModel(*context, arguments.model);
  if (!graph.ok()) return graph.status();
  if (graph->inputs().size() != 1 || graph->outputs().size() != 1) {
    return absl::InvalidArgumentError("the model does not have one input and one output");
  }
  const std::string name = graph->value(graph->inputs().front()).name;
  const auto data = qlite::OpenTokenDataSet({name, qlite::ElementType::kInt64, {1, arguments.length + 1}},
                                            arguments.tokens, arguments.first_line, arguments.count);
  if (!data.ok()) return data.status();
  const auto session = qlite::Session::Create(*context, *graph, {.input_shapes = {{name, {1, arguments.length}}}});
  if (!session.ok()) return session.status();
  if ((*session)->input(0).type != qlite::ElementType::kInt64 ||
      (*session)->output(0).type != qlite::ElementType::kFloat32) {
    return absl::InvalidArgumentError("the model does not map int64 tokens to float scores");
  }
  double sum = 0;
  const int64_t line_dims[] = {1, arguments.length + 1};
  std::vector<int64_t> tokens(static_cast<size_t>(arguments.length) + 1);
  for (int64_t line = 0; line < (*data)->size(); ++line) {
    const qlite::MutableTensorView view[] = {
        {qlite::ElementType::kInt64, line_dims, tokens.data(), tokens.size() * sizeof(int64_t)}};
    if (absl::Status status = (*data)->Read(line, view); !status.ok()) return status;
    std::copy(tokens.begin(), tokens.end() - 1, (*session)->input(0).as<int64_t>().begin());
    if (absl::Status status = (*session)->Run(); !status.ok()) return status;
    const absl::StatusOr<double> loss = SequenceLoss((*session)->output(0).as<float>(), tokens);
    if (!loss.ok()) return loss.status();
    sum += *loss;
  }
  const int64_t predicted = (*data)->size() * arguments.length;
  std::printf("%.6f nats per token over %lld tokens\n", sum / static_cast<double>(predicted),
              static_cast<long long>(predicted));
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || argc > 6) {
    std::fprintf(stderr, "usage: %s MODEL TOKENS [FIRST_LINE [COUNT [LENGTH]]]\n", argv[0]);
    return 2;
  }
  Arguments arguments{.model = argv[1], .tokens = argv[2]};
  if (argc > 3) arguments.first_line = std::atoll(argv[3]);
  if (argc > 4) arguments.count = std::atoll(argv[4]);
  if (argc > 5) arguments.length = std::atoll(argv[5]);
  if (arguments.length < 1 || arguments.length > (1 << 20)) {
    std::fprintf(stderr, "LENGTH must be from 1 to 1048576\n");
    return 2;
  }
  const absl::Status status = Evaluate(arguments);
  if (!status.ok()) std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return status.ok() ? 0 : 1;
}
