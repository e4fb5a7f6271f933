#include "server/server_client.h"

#include <future>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "server/error_catalog.h"
#include "server/errors.h"

namespace tidemill {
namespace {

constexpr int64_t kTimeoutMs = 30'000;
constexpr int64_t kResponseBytesMax = 256 << 20;

}  // namespace

Status ServerClient::ErrorOf(int status, const std::string& text) {
  const auto body = nlohmann::json::parse(text, nullptr, false);
  std::string detail = fmt::format("the server answered {}", status);
  const ErrorCode* code = status == 404 ? &kNotFound : &kInvalidConfig;
  if (status >= 500) code = &kNetworkError;
  if (body.is_object()) {
    if (const auto found = body.find("detail"); found != body.end()) {
      if (found->is_string()) detail = found->get<std::string>();
      // Feast's way: [{"loc": [...], "msg": "..."}]
      if (found->is_array() && !found->empty() && found->front().is_object())
        detail = found->front().value("msg", detail);
    }
    if (const auto found = body.find("code"); found != body.end() && found->is_string()) {
      if (const CatalogEntry* entry = FindErrorCode(found->get<std::string>())) code = entry->code;
    }
  }
  Status error(*code, detail);
  if (!body.is_object()) return error;
  if (const auto found = body.find("hint"); found != body.end() && found->is_string())
    error = error.WithHint(found->get<std::string>());
  if (const auto found = body.find("notes"); found != body.end() && found->is_array()) {
    for (const auto& note : *found) {
      if (note.is_string()) error = error.WithNote(note.get<std::string>());
    }
  }
  return error;
}

Result<std::string> ServerClient::Get(const std::string& target) {
  HttpRequest request;
  request.method = "GET";
  request.url = base_url_ + target;
  return Call(std::move(request));
}

Result<std::string> ServerClient::Delete(const std::string& target) {
  HttpRequest request;
  request.method = "DELETE";
  request.url = base_url_ + target;
  return Call(std::move(request));
}

Result<std::string> ServerClient::Post(const std::string& target, const std::string& content_type, std::string body) {
  HttpRequest request;
  request.method = "POST";
  request.url = base_url_ + target;
  request.headers = {{"Content-Type", content_type}};
  request.body = std::move(body);
  return Call(std::move(request));
}

Result<std::string> ServerClient::Call(HttpRequest request) {
  request.timeout_ms = kTimeoutMs;
  request.response_bytes_max = kResponseBytesMax;
  request.allow_addresses = {"*"};  // the user named the server
  auto promise = std::make_shared<std::promise<Result<HttpResponse>>>();
  auto answer = promise->get_future();
  network_.Fetch(std::move(request),
                 [promise](Result<HttpResponse> response) { promise->set_value(std::move(response)); });
  Result<HttpResponse> response = answer.get();
  if (!response.ok()) return response.status().WithContext("server " + base_url_);
  if (response->status >= 400) return ErrorOf(response->status, response->body);
  return std::move(response->body);
}

}  // namespace tidemill
