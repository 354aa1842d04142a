#include "report.h"

#include <array>
#include <cstdio>

#include "io/json_writer.h"

namespace mobilenet_tvm {
namespace {

template <typename... Args>
std::string Format(const char* format, Args... args) {
  std::array<char, 256> line{};
  std::snprintf(line.data(), line.size(), format, args...);
  return line.data();
}

constexpr const char* kEmulated = "source emulated, device code not executed";

// Whose time it is.
std::string WhereText(const RunInfo& info) {
  if (info.gpu) {
    return info.gpu->name;
  }
  return std::to_string(info.threads) + (info.threads == 1 ? " thread" : " threads");
}

bool IsEmulated(const RunInfo& info) { return info.gpu && info.gpu->emulated; }

// An emulator's time is no time of the GPU's, and is not told.
std::string LatencyText(const Latency& latency, const RunInfo& info) {
  if (IsEmulated(info)) {
    return kEmulated;
  }
  const int digits = info.gpu ? 4 : 2;
  if (latency.runs == 1) {
    return Format("%.*f ms, ", digits, latency.median) + WhereText(info);
  }
  return Format("median %.*f ms, min %.*f, p90 %.*f (%zu runs), ", digits, latency.median, digits,
                latency.min, digits, latency.p90, latency.runs) +
         WhereText(info);
}

// A document that says of the run as a whole what there is to say, and is open.
JsonWriter BeginReport(const Manifest& manifest, const RunInfo& info) {
  JsonWriter json;
  json.BeginObject().Key("package").String(info.package);
  json.Key("model").String(manifest.model);
  json.Key("target").String(manifest.target);
  json.Key("threads").Integer(info.threads);
  if (info.gpu) {
    json.Key("gpu").BeginObject().Key("name").String(info.gpu->name);
    json.Key("compute_capability").Integer(info.gpu->compute_capability);
    json.Key("cuda_version").Integer(info.gpu->cuda_version);
    json.Key("emulated").Bool(info.gpu->emulated).EndObject();
  }
  return json;
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
  return text + "      " + LatencyText(result.latency, info) + "\n";
}

std::string ClassifiedJson(const Manifest& manifest, const RunInfo& info,
                           const std::vector<Classified>& results) {
  JsonWriter json = BeginReport(manifest, info);
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

std::string SelfTestText(const Manifest& manifest, const RunInfo& info, const SelfTest& result) {
  const std::string note = IsEmulated(info) ? std::string("; ") + kEmulated : "";
  return manifest.model + " for " + manifest.target + ": " + (result.passed ? "passed" : "FAILED") +
         Format(", largest error %.3g = %.2g of the output's range %.4g, ", result.max_abs_err,
                result.relative_err, result.output_range) +
         (result.top1_agrees ? "same" : "another") + " first class, " +
         (result.top5_agrees ? "same" : "another") + " top 5" + note + "\n";
}

std::string SelfTestJson(const Manifest& manifest, const RunInfo& info, const SelfTest& result) {
  JsonWriter json = BeginReport(manifest, info);
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
  return manifest.model + " for " + manifest.target + ": " + LatencyText(latency, info) + "\n";
}

std::string BenchJson(const Manifest& manifest, const RunInfo& info,
                      const std::vector<double>& times) {
  const Latency latency = Summarise(times);
  JsonWriter json = BeginReport(manifest, info);
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
    text +=
        (IsEmulated(info) ? "  " : Format("  %9.4f ms  ", call.milliseconds)) + call.name + "\n";
  }
  if (info.gpu) {
    return text;
  }
  return text + Format("peak of one core: %.1f GMAC/s\n", profile.peak_gmacs);
}

std::string ProfileJson(const Manifest& manifest, const RunInfo& info, const Profile& profile) {
  JsonWriter json = BeginReport(manifest, info);
  json.Key("profile").BeginObject();
  json.Key("median_ms").Number(profile.whole.median);
  json.Key("runs").Integer(static_cast<std::int64_t>(profile.whole.runs));
  if (!info.gpu) {
    json.Key("peak_gmacs").Number(profile.peak_gmacs);
  }
  json.Key("calls").BeginArray();
  for (const KernelCall& call : profile.calls) {
    json.BeginObject().Key("name").String(call.name).Key("median_ms").Number(call.milliseconds);
    json.EndObject();
  }
  json.EndArray().EndObject().EndObject();
  return json.Text() + "\n";
}

}  // namespace mobilenet_tvm
