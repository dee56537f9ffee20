#include <algorithm>
#include <cmath>
#include <map>

#include "lab/report/charts.hpp"

namespace kiwi::lab::report {
namespace {

using history::Operation;
using OperationOutcome = history::Outcome;

constexpr double kLatency = 150;
constexpr double kEdge = 16;  // unknown operations are drawn above the scale
constexpr double kRate = 70;
constexpr std::size_t kBuckets = 120;

struct Bucket {
  std::vector<double> latencies;  // seconds
  std::uint64_t done = 0;
  std::uint64_t not_done = 0;
  std::uint64_t unknown = 0;
};

double seconds(Time time) { return std::chrono::duration<double>(time).count(); }

/// Latencies on a logarithmic scale, whole powers of ten at both ends.
class Scale {
 public:
  Scale(double least, double most)
      : low_(std::floor(std::log10(std::max(least, 1e-6)))),
        high_(std::max(std::ceil(std::log10(std::max(most, 1e-6))), low_ + 1)) {}
  double y(double latency) const {
    const double part = (std::log10(std::max(latency, 1e-7)) - low_) / (high_ - low_);
    return kLatency - 4 - std::clamp(part, 0.0, 1.0) * (kLatency - 4 - kEdge);
  }
  /// Lines and their names.
  std::string lines(std::string& labels) const {
    std::string path;
    for (double power = low_; power <= high_; ++power) {
      const double latency = std::pow(10, power);
      path += "M0 " + decimal(y(latency), 1) + "h" + decimal(kWidth, 0);
      labels += "<span class=\"value\" style=\"top:" + decimal(y(latency), 1) + "px\">" +
                duration_text(Time(static_cast<Time::rep>(latency * 1e9 + 0.5))) + "</span>";
    }
    return "<path class=\"grid\" d=\"" + path + "\"/>";
  }

 private:
  double low_;
  double high_;
};

double quantile(std::vector<double>& values, double part) {
  const auto at = static_cast<std::size_t>(part * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), values.begin() + static_cast<long>(at), values.end());
  return values[at];
}

/// Joins neighbours; a bucket without operations interrupts it.
std::string quantile_line(std::vector<Bucket>& buckets, double part, const char* css, const Scale& scale) {
  std::string path;
  bool begun = false;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    if (buckets[i].latencies.empty()) {
      begun = false;
      continue;
    }
    const double x = (static_cast<double>(i) + 0.5) * kWidth / static_cast<double>(buckets.size());
    path +=
        (begun ? "L" : "M") + decimal(x, 0) + " " + decimal(scale.y(quantile(buckets[i].latencies, part)), 1);
    path += begun ? "" : "h0";
    begun = true;
  }
  return "<path class=\"" + std::string(css) + "\" d=\"" + path + "\"/>";
}

class LoadChart {
 public:
  LoadChart(const RunRecord& record, const Axis& axis, const Focus& focus, std::size_t most_dots)
      : operations_(record.history.operations()),
        axis_(axis),
        focus_(focus),
        most_dots_(std::max<std::size_t>(most_dots, 1)),
        buckets_(kBuckets) {}

  LoadCharts all() {
    LoadCharts charts;
    if (operations_.empty()) {
      charts.rows = chart_row("latency", "latency", kRate, "<span class=\"none\">no operations</span>");
      return charts;
    }
    fill_buckets();
    charts.rows = latency(charts) + throughput();
    return charts;
  }

 private:
  Time end_of(const Operation& operation) const { return operation.returned_at.value_or(axis_.to()); }

  void fill_buckets() {
    for (const Operation& operation : operations_) {
      const auto at = static_cast<std::size_t>(axis_.fraction(end_of(operation)) * kBuckets);
      Bucket& bucket = buckets_[std::min(at, kBuckets - 1)];
      ++totals_[operation.outcome];
      switch (operation.outcome) {
        case OperationOutcome::done: {
          const double latency = seconds(end_of(operation) - operation.invoked_at);
          bucket.latencies.push_back(latency);
          least_ = std::min(least_, latency);
          most_ = std::max(most_, latency);
          ++bucket.done;
          break;
        }
        case OperationOutcome::not_done:
          ++bucket.not_done;
          break;
        case OperationOutcome::unknown:
          ++bucket.unknown;
          break;
      }
    }
  }

  std::string latency(LoadCharts& charts) {
    const Scale scale(std::min(least_, most_), most_);
    std::string labels;
    std::string inside = scale.lines(labels);
    std::map<OperationOutcome, std::string> paths;
    std::map<OperationOutcome, std::uint64_t> seen;
    std::string failing;
    for (const Operation& operation : operations_) {
      const bool fails = focus_.operations.contains(operation.number);
      const std::uint64_t step = totals_[operation.outcome] / most_dots_ + 1;
      if (seen[operation.outcome]++ % step != 0 && !fails) {
        continue;
      }
      const bool unknown = operation.outcome == OperationOutcome::unknown;
      const double x = axis_.x(operation.invoked_at);
      const double y = unknown ? kEdge / 2 : scale.y(seconds(end_of(operation) - operation.invoked_at));
      std::string& path = paths[operation.outcome];
      path += "M" + decimal(x, 0) + " " + decimal(unknown ? 3 : y, 1) + (unknown ? "v8" : "h0");
      if (fails) {
        failing += "M" + decimal(x, 0) + " " + decimal(y, 1) + "h0";
      }
      charts.dots.push_back({x, y, shortened(history::describe(operation), 140)});
    }
    for (const auto& [outcome, count] : totals_) {
      if (count > most_dots_) {
        charts.note += (charts.note.empty() ? "Too many operations to draw each: " : ", ") +
                       ("one in " + grouped(count / most_dots_ + 1)) + " of the " + grouped(count) + " " +
                       std::string(name(outcome)) + " is a dot";
      }
    }
    charts.note += charts.note.empty() ? "" : ". All of them count in the lines and tables.";
    inside += "<path class=\"dot done\" d=\"" + paths[OperationOutcome::done] + "\"/>" +
              "<path class=\"dot refused\" d=\"" + paths[OperationOutcome::not_done] + "\"/>" +
              "<path class=\"dot unknown\" d=\"" + paths[OperationOutcome::unknown] + "\"/>" +
              quantile_line(buckets_, 0.99, "p99", scale) + quantile_line(buckets_, 0.5, "p50", scale) +
              "<path class=\"dot failing\" d=\"" + failing + "\"/>";
    return chart_row("latency", "latency", kLatency, drawing("latencies", kLatency, inside) + labels);
  }

  static std::string_view name(OperationOutcome outcome) {
    return outcome == OperationOutcome::done       ? "done"
           : outcome == OperationOutcome::not_done ? "refused"
                                                   : "unknown";
  }

  std::string throughput() const {
    const double length = seconds(axis_.span()) / kBuckets;
    std::uint64_t most = 1;
    for (const Bucket& bucket : buckets_) {
      most = std::max({most, bucket.done, bucket.not_done, bucket.unknown});
    }
    const auto line = [&](std::uint64_t Bucket::*count, const char* css) {
      std::string path;
      for (std::size_t i = 0; i < kBuckets; ++i) {
        const double x = static_cast<double>(i) * kWidth / kBuckets;
        const double y =
            kRate - 2 - (kRate - 16) * static_cast<double>(buckets_[i].*count) / static_cast<double>(most);
        path += (i == 0 ? "M0 " : "H" + decimal(x, 0) + "V") + decimal(y, 1);
      }
      return "<path class=\"" + std::string(css) + "\" d=\"" + path + "H" + decimal(kWidth, 0) + "\"/>";
    };
    const std::string top = decimal(static_cast<double>(most) / length, most / length < 10 ? 1 : 0) + "/s";
    const std::string inside = "<path class=\"grid\" d=\"M0 14h10000M0 " + decimal(kRate - 2, 0) +
                               "h10000\"/>" + line(&Bucket::done, "rate done") +
                               line(&Bucket::not_done, "rate refused") +
                               line(&Bucket::unknown, "rate unknown");
    return chart_row("rates", "throughput", kRate,
                     drawing("throughput", kRate, inside) + "<span class=\"value\" style=\"top:14px\">" +
                         top + "</span><span class=\"value\" style=\"top:" + decimal(kRate - 2, 0) +
                         "px\">0</span>");
  }

  const std::vector<Operation>& operations_;
  const Axis& axis_;
  const Focus& focus_;
  const std::size_t most_dots_;
  std::vector<Bucket> buckets_;
  std::map<OperationOutcome, std::uint64_t> totals_;
  double least_ = 1e9;
  double most_ = 1e-3;
};

}  // namespace

LoadCharts load_charts(const RunRecord& record, const Axis& axis, const Focus& focus, std::size_t most_dots) {
  return LoadChart(record, axis, focus, most_dots).all();
}

}  // namespace kiwi::lab::report
