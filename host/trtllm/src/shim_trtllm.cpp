// TensorRT-LLM 1.2.1's executor behind June's interface.

#include <chrono>
#include <filesystem>
#include <list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <tensorrt_llm/executor/executor.h>
#include <tensorrt_llm/plugins/api/tllmPlugin.h>

#include "june-trtllm/src/bridge.rs.h"

namespace june {
namespace {

namespace tle = tensorrt_llm::executor;

tle::SamplingConfig sampling(Generation const& generation) {
  tle::SamplingConfig config;
  if (generation.temperature == 0.0F) {
    // Greedy. TensorRT-LLM wants temperatures above 0.
    config.setTopK(1);
  } else {
    config.setTemperature(generation.temperature);
    // 0 is the neutral value of each for June; TensorRT-LLM takes top-k 0 and top-p 0 together for
    // greedy, so that all tokens are top-p 1.
    if (generation.top_k > 0) config.setTopK(static_cast<tle::SizeType32>(generation.top_k));
    if (generation.top_p > 0.0F) {
      config.setTopP(generation.top_p);
    } else if (generation.top_k == 0) {
      config.setTopP(1.0F);
    }
    if (generation.min_p > 0.0F) config.setMinP(generation.min_p);
  }
  config.setSeed(generation.seed);
  return config;
}

Finish finish(tle::Result const& result) {
  if (result.finishReasons.empty()) return Finish::End;
  switch (result.finishReasons.front()) {
    case tle::FinishReason::kLENGTH: return Finish::Length;
    case tle::FinishReason::kCANCELLED: return Finish::Cancelled;
    case tle::FinishReason::kTIMED_OUT: return Finish::Cancelled;
    default: return Finish::End;
  }
}

class TensorRtLlm final : public Executor {
 public:
  TensorRtLlm(std::filesystem::path const& engine, tle::ExecutorConfig const& config)
      : executor_(engine, tle::ModelType::kDECODER_ONLY, config) {
    if (!executor_.canEnqueueRequests()) {
      throw std::runtime_error("this process is not the one that TensorRT-LLM takes requests in");
    }
  }

  std::uint64_t submit(Generation const& generation) override {
    tle::VecTokens prompt(generation.prompt.begin(), generation.prompt.end());
    tle::OutputConfig output;
    output.excludeInputFromOutput = true;
    tle::Request request(std::move(prompt), static_cast<tle::SizeType32>(generation.max_tokens),
                         /*streaming=*/true, sampling(generation), output);
    // One token is the end; the others that end an answer are stop words of one token.
    std::list<tle::VecTokens> stops;
    for (auto const end : generation.ends) {
      if (end == generation.ends.front()) {
        request.setEndId(end);
      } else {
        stops.push_back({end});
      }
    }
    if (!stops.empty()) request.setStopWords(stops);
    return executor_.enqueueRequest(request);
  }

  rust::Vec<Step> await_steps(std::uint32_t milliseconds) override {
    rust::Vec<Step> steps;
    for (auto const& response : executor_.awaitResponses(std::chrono::milliseconds(milliseconds))) {
      Step step{};
      step.request = response.getRequestId();
      if (response.hasError()) {
        step.finish = Finish::Failed;
        step.error = rust::String::lossy(response.getErrorMsg());
      } else {
        auto const& result = response.getResult();
        if (!result.outputTokenIds.empty()) {
          for (auto const token : result.outputTokenIds.front()) step.tokens.push_back(token);
        }
        step.finish = result.isFinal ? finish(result) : Finish::NotYet;
      }
      steps.push_back(std::move(step));
    }
    return steps;
  }

  void cancel(std::uint64_t request) override { executor_.cancelRequest(request); }

  Stats stats() override {
    // Those since the last call, the newest last.
    auto const iterations = executor_.getLatestIterationStats();
    if (!iterations.empty()) {
      auto const& newest = iterations.back();
      stats_.active = static_cast<std::uint64_t>(newest.numActiveRequests);
      stats_.queued = static_cast<std::uint64_t>(newest.numQueuedRequests);
      stats_.gpu_bytes = newest.gpuMemUsage;
      if (newest.kvCacheStats) {
        stats_.blocks = static_cast<std::uint64_t>(newest.kvCacheStats->maxNumBlocks);
        stats_.blocks_used = static_cast<std::uint64_t>(newest.kvCacheStats->usedNumBlocks);
      }
    }
    return stats_;
  }

 private:
  tle::Executor executor_;
  Stats stats_{};
};

}  // namespace

std::unique_ptr<Executor> open(Opening const& opening) {
  if (!initTrtLlmPlugins()) throw std::runtime_error("TensorRT-LLM's plugins do not load");
  tle::KvCacheConfig cache(/*enableBlockReuse=*/opening.paged);
  if (opening.memory_share > 0.0F) cache.setFreeGpuMemoryFraction(opening.memory_share);
  tle::ExecutorConfig config;
  config.setKvCacheConfig(cache);
  config.setEnableChunkedContext(opening.paged);
  std::filesystem::path const folder{std::string(opening.folder)};
  return std::make_unique<TensorRtLlm>(folder, config);
}

rust::String library_version() { return tle::version(); }

}  // namespace june
