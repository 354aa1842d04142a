#include "report.h"

#include <array>
#include <cstdio>

#include "json_writer.h"

namespace mobilenet_tvm {
namespace {

template <typename... Args>
std::string Format(const char* format, Args... args) {
  std::array<char, 256> line{};
  std::snprintf(line.data(), line.size(), format, args...);
  return line.data();
}

std::string ThreadsText(int threads) {
  return std::to_string(threads) + (threads == 1 ? " thread" : " threads");
}

std::string LatencyText(const Latency& latency, int threads) {
  if (latency.runs == 1) {
    return Format("%.2f ms, ", latency.median) + ThreadsText(threads);
  }
  return Format("median %.2f ms, min %.2f, p90 %.2f (%zu runs), ", latency.median, latency.min,
                latency.p90, latency.runs) +
         ThreadsText(threads);
}

void WriteInfo(JsonWriter& json, const Manifest& manifest, const RunInfo& info) {
  json.Key("package").String(info.package);
  json.Key("model").String(manifest.model);
  json.Key("target").String(manifest.target);
  json.Key("threads").Integer(info.threads);
}

}  // namespace

std::string ClassifiedText(const Manifest& manifest, const RunInfo& info,
                           const Classified& result) {
  std::string text = result.image + "\n";
  for (std::size_t i = 0; i < result.top.size(); ++i) {
    const Ranked& ranked = result.top[i];
    text += Format("  %2zu  %6.2f %%  ", i + 1, ranked.probability * 100) +
            LabelOf(manifest, ranked.class_id) + "\n";
  }
  return text + "      " + LatencyText(result.latency, info.threads) + "\n";
}

std::string ClassifiedJson(const Manifest& manifest, const RunInfo& info,
                           const std::vector<Classified>& results) {
  JsonWriter json;
  json.BeginObject();
  WriteInfo(json, manifest, info);
  json.Key("results").BeginArray();
  for (const Classified& result : results) {
    json.BeginObject().Key("image").String(result.image).Key("top").BeginArray();
    for (const Ranked& ranked : result.top) {
      json.BeginObject();
      json.Key("class_id").Integer(static_cast<std::int64_t>(ranked.class_id));
      json.Key("label").String(LabelOf(manifest, ranked.class_id));
      json.Key("probability").Number(ranked.probability);
      json.EndObject();
    }
    json.EndArray().Key("latency_ms").BeginObject();
    json.Key("min").Number(result.latency.min).Key("median").Number(result.latency.median);
    json.Key("p90").Number(result.latency.p90);
    json.Key("runs").Integer(static_cast<std::int64_t>(result.latency.runs));
    json.EndObject().EndObject();
  }
  json.EndArray().EndObject();
  return json.Text() + "\n";
}

std::string SelfTestText(const Manifest& manifest, const SelfTest& result) {
  return manifest.model + " for " + manifest.target + ": " + (result.passed ? "passed" : "FAILED") +
         Format(", largest error %.3g = %.2g of the output's range %.4g, ", result.max_abs_err,
                result.relative_err, result.output_range) +
         (result.top1_agrees ? "same" : "another") + " first class, " +
         (result.top5_agrees ? "same" : "another") + " top 5\n";
}

std::string SelfTestJson(const Manifest& manifest, const RunInfo& info, const SelfTest& result) {
  JsonWriter json;
  json.BeginObject();
  WriteInfo(json, manifest, info);
  json.Key("self_test").BeginObject();
  json.Key("max_abs_err").Number(result.max_abs_err);
  json.Key("output_range").Number(result.output_range);
  json.Key("relative_err").Number(result.relative_err);
  json.Key("top1_agrees").Bool(result.top1_agrees);
  json.Key("top5_agrees").Bool(result.top5_agrees);
  json.Key("passed").Bool(result.passed);
  json.EndObject().EndObject();
  return json.Text() + "\n";
}

std::string BenchText(const Manifest& manifest, const RunInfo& info, const Latency& latency) {
  return manifest.model + " for " + manifest.target + ": " + LatencyText(latency, info.threads) +
         "\n";
}

std::string BenchJson(const Manifest& manifest, const RunInfo& info,
                      const std::vector<double>& times) {
  const Latency latency = Summarise(times);
  JsonWriter json;
  json.BeginObject();
  WriteInfo(json, manifest, info);
  json.Key("bench").BeginObject();
  json.Key("min_ms").Number(latency.min).Key("median_ms").Number(latency.median);
  json.Key("p90_ms").Number(latency.p90);
  json.Key("runs").Integer(static_cast<std::int64_t>(latency.runs));
  json.Key("times_ms").BeginArray();
  for (const double time : times) {
    json.Number(time);
  }
  json.EndArray().EndObject().EndObject();
  return json.Text() + "\n";
}

std::string ProfileText(const Manifest& manifest, const RunInfo& info, const Profile& profile) {
  std::string text = BenchText(manifest, info, profile.whole);
  for (const KernelCall& call : profile.calls) {
    text += Format("  %9.4f ms  ", call.milliseconds) + call.name + "\n";
  }
  return text + Format("peak of one core: %.1f GMAC/s\n", profile.peak_gmacs);
}

std::string ProfileJson(const Manifest& manifest, const RunInfo& info, const Profile& profile) {
  JsonWriter json;
  json.BeginObject();
  WriteInfo(json, manifest, info);
  json.Key("profile").BeginObject();
  json.Key("median_ms").Number(profile.whole.median);
  json.Key("runs").Integer(static_cast<std::int64_t>(profile.whole.runs));
  json.Key("peak_gmacs").Number(profile.peak_gmacs);
  json.Key("calls").BeginArray();
  for (const KernelCall& call : profile.calls) {
    json.BeginObject().Key("name").String(call.name).Key("median_ms").Number(call.milliseconds);
    json.EndObject();
  }
  json.EndArray().EndObject().EndObject();
  return json.Text() + "\n";
}

}  // namespace mobilenet_tvm
