#include "tests/timing/systolic_model.h"

namespace accsim::test {
namespace {

// A value on its way, and what it belongs to.
struct Token {
  bool valid = false;
  int value = 0;
  std::size_t fold = 0;
  std::size_t index = 0;  // streamed vector, reduction step, or row
};

using Grid = std::vector<std::vector<Token>>;
Grid make_grid(std::size_t rows, std::size_t cols) { return Grid(rows, std::vector<Token>(cols)); }

// When folds start, and which are finished.
class Sequencer {
 public:
  Sequencer(std::size_t folds, Interval interval, std::size_t work) : interval_(interval), left_(folds, work) {}

  // Start times of the folds that have begun by cycle `now`.
  const std::vector<std::int64_t>& starts(std::int64_t now) {
    while (starts_.size() < left_.size() && may_start(now)) starts_.push_back(now);
    return starts_;
  }
  void worked(std::size_t fold) { --left_[fold]; }
  [[nodiscard]] bool done() const {
    for (const std::size_t left : left_)
      if (left > 0) return false;
    return true;
  }

 private:
  [[nodiscard]] bool may_start(std::int64_t now) const {
    if (starts_.empty()) return true;
    if (interval_) return now == starts_.back() + *interval_;
    return left_[starts_.size() - 1] == 0;
  }

  Interval interval_;
  std::vector<std::size_t> left_;  // multiplications to do, by fold
  std::vector<std::int64_t> starts_;
};

// The fold whose element `now - start - delay` lies in [0, count), as a token without a value. Two at once: a hazard.
Token at_port(const std::vector<std::int64_t>& starts, std::int64_t now, std::int64_t delay, std::size_t count,
              bool& hazard) {
  Token token;
  for (std::size_t f = 0; f < starts.size(); ++f) {
    const std::int64_t i = now - starts[f] - delay;
    if (i < 0 || i >= static_cast<std::int64_t>(count)) continue;
    hazard = hazard || token.valid;
    token = {true, 0, f, static_cast<std::size_t>(i)};
  }
  return token;
}

constexpr std::int64_t kLongestRun = 100'000;

}  // namespace

RunResult run_stationary(std::size_t rows, std::size_t cols, const std::vector<StationaryFold>& folds,
                         Interval interval) {
  const std::size_t length = folds.front().streamed.size();
  Sequencer sequencer(folds.size(), interval, rows * cols * length);
  Grid moving_right = make_grid(rows, cols);
  Grid moving_down = make_grid(rows, cols);  // partial sums
  Grid loading = make_grid(rows, cols);      // stationary values on their way to their row
  Grid shadow = make_grid(rows, cols);
  Grid active = make_grid(rows, cols);
  RunResult result;
  for (std::int64_t now = 0; !sequencer.done() && !result.hazard && now < kLongestRun; ++now) {
    const std::vector<std::int64_t> starts = sequencer.starts(now);
    Grid next_right = make_grid(rows, cols);
    Grid next_down = make_grid(rows, cols);
    Grid next_loading = make_grid(rows, cols);
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < cols; ++c) {
        const auto row = static_cast<std::int64_t>(r);
        const auto col = static_cast<std::int64_t>(c);
        Token input = c > 0 ? moving_right[r][c - 1] : Token{};
        if (c == 0) {
          input = at_port(starts, now, static_cast<std::int64_t>(rows) + row, length, result.hazard);
          if (input.valid) input.value = folds[input.fold].streamed[input.index][r];
        }
        Token load = r > 0 ? loading[r - 1][c] : Token{};
        if (r == 0) {
          load = at_port(starts, now, col, rows, result.hazard);
          if (load.valid) load.value = folds[load.fold].stationary[load.index][c];
        }

        if (input.valid && input.index == 0) {  // a new fold begins here
          if (!shadow[r][c].valid || shadow[r][c].fold != input.fold) result.hazard = true;
          active[r][c] = shadow[r][c];
          shadow[r][c].valid = false;
        }
        if (load.valid && load.index == r) {
          if (shadow[r][c].valid) result.hazard = true;
          shadow[r][c] = load;
        } else {
          next_loading[r][c] = load;
        }
        next_right[r][c] = input;
        if (!input.valid) continue;
        const Token above = r > 0 ? moving_down[r - 1][c] : Token{true, 0, input.fold, input.index};
        if (!above.valid || above.fold != input.fold || above.index != input.index) result.hazard = true;
        if (active[r][c].fold != input.fold) result.hazard = true;
        next_down[r][c] = {true, above.value + active[r][c].value * input.value, input.fold, input.index};
        if (r + 1 == rows) folds[input.fold].take(input.index, c, next_down[r][c].value);
        sequencer.worked(input.fold);
        result.last_active = now;
      }
    }
    moving_right = std::move(next_right);
    moving_down = std::move(next_down);
    loading = std::move(next_loading);
  }
  return result;
}

RunResult run_output_stationary(std::size_t rows, std::size_t cols, const std::vector<OutputFold>& folds,
                                Interval interval) {
  const std::size_t length = folds.front().top.size();
  Sequencer sequencer(folds.size(), interval, rows * cols * length);
  Grid moving_right = make_grid(rows, cols);
  Grid moving_down = make_grid(rows, cols);
  Grid sums = make_grid(rows, cols);
  Grid shadow = make_grid(rows, cols);  // finished sums on their way out; index = the row they come from
  RunResult result;
  std::size_t emitted = 0;
  const std::size_t all = folds.size() * rows * cols;
  for (std::int64_t now = 0; emitted < all && !result.hazard && now < kLongestRun; ++now) {
    const std::vector<std::int64_t> starts = sequencer.starts(now);
    Grid next_right = make_grid(rows, cols);
    Grid next_down = make_grid(rows, cols);
    Grid next_shadow = shadow;
    // Columns shift out, the lowest row first.
    for (std::size_t c = 0; c < cols; ++c) {
      const auto finished = static_cast<std::int64_t>(length + rows - 1 + c);
      const Token draining = at_port(starts, now, finished, rows, result.hazard);
      if (!draining.valid) continue;
      for (std::size_t r = rows; r-- > 0;) {
        const Token& held = shadow[r][c];
        if (!held.valid || held.fold != draining.fold) continue;
        next_shadow[r][c].valid = false;
        if (r + 1 == rows) {
          folds[held.fold].take(held.index, c, held.value);
          ++emitted;
        } else {
          if (next_shadow[r + 1][c].valid) result.hazard = true;
          next_shadow[r + 1][c] = held;
        }
      }
    }
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < cols; ++c) {
        Token left = c > 0 ? moving_right[r][c - 1] : Token{};
        if (c == 0) {
          left = at_port(starts, now, static_cast<std::int64_t>(r), length, result.hazard);
          if (left.valid) left.value = folds[left.fold].left[r][left.index];
        }
        Token top = r > 0 ? moving_down[r - 1][c] : Token{};
        if (r == 0) {
          top = at_port(starts, now, static_cast<std::int64_t>(c), length, result.hazard);
          if (top.valid) top.value = folds[top.fold].top[top.index][c];
        }
        next_right[r][c] = left;
        next_down[r][c] = top;
        if (left.valid != top.valid || left.fold != top.fold || left.index != top.index) result.hazard = true;
        if (!left.valid) continue;
        if (left.index == 0) sums[r][c] = {true, 0, left.fold, r};
        sums[r][c].value += left.value * top.value;
        if (left.index + 1 == length) {
          if (next_shadow[r][c].valid) result.hazard = true;
          next_shadow[r][c] = sums[r][c];
        }
        sequencer.worked(left.fold);
        result.last_active = now;
      }
    }
    moving_right = std::move(next_right);
    moving_down = std::move(next_down);
    shadow = std::move(next_shadow);
  }
  return result;
}

RunResult run_dot_products(std::size_t rows, std::size_t cols, const std::vector<StationaryFold>& folds,
                           Interval interval) {
  const std::size_t length = folds.front().streamed.size();
  Sequencer sequencer(folds.size(), interval, length);
  Matrix shadow(rows, std::vector<int>(cols));
  Matrix active = shadow;
  std::size_t shadow_rows = 0;
  RunResult result;
  for (std::int64_t now = 0; !sequencer.done() && !result.hazard && now < kLongestRun; ++now) {
    const std::vector<std::int64_t> starts = sequencer.starts(now);
    const Token input = at_port(starts, now, static_cast<std::int64_t>(rows), length, result.hazard);
    if (input.valid) {
      if (input.index == 0) {
        if (shadow_rows != rows) result.hazard = true;
        active = shadow;
        shadow_rows = 0;
      }
      for (std::size_t c = 0; c < cols; ++c) {
        int sum = 0;
        for (std::size_t r = 0; r < rows; ++r) sum += active[r][c] * folds[input.fold].streamed[input.index][r];
        folds[input.fold].take(input.index, c, sum);
      }
      sequencer.worked(input.fold);
      result.last_active = now;
    }
    const Token load = at_port(starts, now, 0, rows, result.hazard);
    if (load.valid) {
      if (load.index != shadow_rows) result.hazard = true;
      shadow[load.index] = folds[load.fold].stationary[load.index];
      ++shadow_rows;
    }
  }
  return result;
}

}  // namespace accsim::test
