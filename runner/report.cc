#include "report.h"

#include <array>
#include <cmath>
#include <cstdio>

#include "io/base64.h"
#include "io/json_writer.h"
#include "run/save_outputs.h"

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

constexpr std::size_t kMostValues = 1000;

// "scores  float32 1x1000  -3.1 to 8.25", and the values themselves where they are few.
std::string OutputText(const std::string& name, const Array& output) {
  constexpr std::size_t kShown = 8;
  std::string text =
      "  " + name + "  " + std::string(output.dtype->name) + " " + ShapeText(output.shape);
  const std::size_t size = output.Size();
  if (size == 0) {
    return text + "  no elements\n";
  }
  if (size <= kShown) {
    for (std::size_t i = 0; i < size; ++i) {
      text += Format(i == 0 ? "  %.9g" : " %.9g", output.At(i));
    }
    return text + "\n";
  }
  double low = output.At(0);
  double high = low;
  for (std::size_t i = 1; i < size; ++i) {
    low = std::fmin(low, output.At(i));  // fmin and fmax pass over NaN
    high = std::fmax(high, output.At(i));
  }
  return text + Format("  %.6g to %.6g\n", low, high);
}

void WriteOutput(JsonWriter& json, const std::string& name, const std::string& file,
                 const Array& output, bool with_elements, bool with_data) {
  json.BeginObject().Key("name").String(name).Key("file").String(file + ".npy");
  json.Key("dtype").String(output.dtype->name);
  json.Key("shape").BeginArray();
  for (const std::int64_t extent : output.shape) {
    json.Integer(extent);
  }
  json.EndArray();
  if (with_elements && output.Size() <= kMostValues) {
    json.Key("elements").BeginArray();
    for (std::size_t i = 0; i < output.Size(); ++i) {
      if (output.dtype->IsFloat()) {
        json.Number(output.At(i));
      } else {
        json.Integer(output.IntegerAt(i));
      }
    }
    json.EndArray();
  }
  if (with_data) {
    json.Key("data").String(Base64(output.bytes));
  }
  json.EndObject();
}

std::string ErrorText(const OutputError& output) {
  if (!output.dtype->IsFloat()) {
    return output.mismatches == 0 ? ", equal" : Format(", %zu values differ", output.mismatches);
  }
  return Format(", largest error %.3g = %.2g of the output's range %.4g", output.max_abs_err,
                output.RelativeErr(), output.output_range) +
         (output.mismatches == 0
              ? ""
              : Format(", NaN or infinity misplaced in %zu values", output.mismatches));
}

}  // namespace

std::string InferredText(const Manifest& manifest, const RunInfo& info, const Inferred& result) {
  std::string text = result.image + "\n";
  for (std::size_t i = 0; i < result.top.size(); ++i) {
    const Ranked& ranked = result.top[i];
    text += Format("  %2zu  %6.2f %%  ", i + 1, ranked.probability * 100) +
            LabelOf(manifest, ranked.class_id) + "\n";
  }
  for (std::size_t i = 0; result.top.empty() && i < result.outputs.size(); ++i) {
    text += OutputText(manifest.outputs.at(i).name, result.outputs[i]);
  }
  return text + "      " + LatencyText(result.latency, info) + "\n";
}

std::string InferredJson(const Manifest& manifest, const RunInfo& info,
                         const std::vector<Inferred>& results, bool with_data) {
  JsonWriter json = BeginReport(manifest, info);
  const std::vector<std::string> files = FileNames(manifest.outputs);
  json.Key("results").BeginArray();
  for (const Inferred& result : results) {
    json.BeginObject().Key("image").String(result.image).Key("top").BeginArray();
    for (const Ranked& ranked : result.top) {
      json.BeginObject();
      json.Key("class_id").Integer(static_cast<std::int64_t>(ranked.class_id));
      json.Key("label").String(LabelOf(manifest, ranked.class_id));
      json.Key("probability").Number(ranked.probability);
      json.EndObject();
    }
    json.EndArray().Key("outputs").BeginArray();
    for (std::size_t i = 0; i < result.outputs.size(); ++i) {
      const bool with_elements = result.top.empty();
      WriteOutput(json, manifest.outputs.at(i).name, files.at(i), result.outputs[i], with_elements,
                  with_data);
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
  std::string text =
      manifest.model + " for " + manifest.target + ": " + (result.passed ? "passed" : "FAILED");
  const bool is_classifier = ScoresClasses(manifest);
  if (result.outputs.size() == 1 && result.outputs.front().dtype->IsFloat()) {
    text += ErrorText(result.outputs.front());
  }
  if (is_classifier) {
    text += std::string(", ") + (result.top1_agrees ? "same" : "another") + " first class, " +
            (result.top5_agrees ? "same" : "another") + " top 5";
  }
  text += note + "\n";
  if (result.outputs.size() == 1 && result.outputs.front().dtype->IsFloat()) {
    return text;
  }
  for (const OutputError& output : result.outputs) {
    text += "  " + output.name + ": " + (output.passed ? "passed" : "FAILED") + ErrorText(output) +
            "\n";
  }
  return text;
}

std::string SelfTestJson(const Manifest& manifest, const RunInfo& info, const SelfTest& result) {
  JsonWriter json = BeginReport(manifest, info);
  const OutputError& worst = result.outputs.at(result.worst);
  json.Key("self_test").BeginObject();
  json.Key("max_abs_err").Number(worst.max_abs_err);
  json.Key("output_range").Number(worst.output_range);
  json.Key("relative_err").Number(worst.RelativeErr());
  json.Key("top1_agrees").Bool(result.top1_agrees);
  json.Key("top5_agrees").Bool(result.top5_agrees);
  json.Key("passed").Bool(result.passed);
  json.Key("outputs").BeginArray();
  for (const OutputError& output : result.outputs) {
    json.BeginObject().Key("name").String(output.name);
    json.Key("dtype").String(output.dtype->name);
    json.Key("max_abs_err").Number(output.max_abs_err);
    json.Key("output_range").Number(output.output_range);
    json.Key("mismatches").Integer(static_cast<std::int64_t>(output.mismatches));
    json.Key("passed").Bool(output.passed).EndObject();
  }
  json.EndArray().EndObject().EndObject();
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
  text += "peak of one core:";
  for (const Peak& peak : profile.peaks) {
    text += (&peak == profile.peaks.data() ? " " : ", ") + std::string(peak.dtype) +
            Format(" %.1f GMAC/s", peak.gmacs);
  }
  return text + "\n";
}

std::string ProfileJson(const Manifest& manifest, const RunInfo& info, const Profile& profile) {
  JsonWriter json = BeginReport(manifest, info);
  json.Key("profile").BeginObject();
  json.Key("median_ms").Number(profile.whole.median);
  json.Key("runs").Integer(static_cast<std::int64_t>(profile.whole.runs));
  if (!info.gpu) {
    json.Key("peak_gmacs").Number(profile.peaks.front().gmacs);
    json.Key("peaks").BeginObject();
    for (const Peak& peak : profile.peaks) {
      json.Key(peak.dtype).Number(peak.gmacs);
    }
    json.EndObject();
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
