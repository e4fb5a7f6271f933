#include "connect/redis_streams/resp.h"

#include <algorithm>
#include <charconv>

#include "base/errors.h"
#include "connect/errors.h"

namespace tidemill {
namespace {

constexpr size_t kLineMax = 64 << 10;
constexpr size_t kDropAt = 256 << 10;

Status NotResp(const char* what) { return Status(kRedisRefused, std::string("the answer is not RESP: ") + what); }

bool ParseRespNumber(std::string_view text, int64_t* out) {
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && rest == text.data() + text.size();
}

void AppendRespNumber(size_t number, std::string* out) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number);
  out->append(digits, end.ptr);
  out->append("\r\n");
}

}  // namespace

Status RespReader::CheckSize(int64_t more) const {
  const auto have = static_cast<int64_t>(at_ - start_);
  if (more <= limits_.reply_bytes_max - have) return Status::OK();
  return Status(kLimitExceeded,
                "a reply is larger than " + std::to_string(limits_.reply_bytes_max) + " bytes: read fewer at a time");
}

Result<bool> RespReader::TakeLine(std::string_view* line) {
  const size_t found = buffer_.find('\n', at_);
  const size_t length = (found == std::string::npos ? buffer_.size() : found) - at_;
  if (length > kLineMax) return NotResp("a line without an end");
  if (found == std::string::npos) return false;
  if (length < 2 || buffer_[found - 1] != '\r') return NotResp("a line without its mark");
  *line = std::string_view(buffer_).substr(at_, length - 1);
  return true;
}

void RespReader::Add(RespNode node) {
  const auto number = static_cast<uint32_t>(nodes_.size());
  node.end = number + 1;
  nodes_.push_back(node);
  if (node.type == RespType::kArray && node.number > 0) {
    open_.push_back({number, node.number});
    return;
  }
  while (!open_.empty() && --open_.back().left == 0) {
    nodes_[open_.back().node].end = static_cast<uint32_t>(nodes_.size());
    open_.pop_back();
  }
}

Result<bool> RespReader::ParseValue() {
  std::string_view line;
  TM_ASSIGN_OR_RETURN(const bool whole, TakeLine(&line));
  if (!whole) return false;
  const char mark = line[0];
  const size_t after_line = at_ + line.size() + 2;
  line.remove_prefix(1);
  TM_RETURN_IF_ERROR(CheckSize(static_cast<int64_t>(line.size())));
  RespNode node;
  node.begin = at_ + 1;
  node.size = line.size();
  switch (mark) {
    case '+':
      node.type = RespType::kSimple;
      break;
    case '-':
      node.type = RespType::kError;
      break;
    case ':':
      node.type = RespType::kInteger;
      if (!ParseRespNumber(line, &node.number)) return NotResp("a number that is none");
      break;
    case '$': {
      int64_t size = 0;
      if (!ParseRespNumber(line, &size) || size < -1) return NotResp("a length that is none");
      node.begin = after_line;
      node.size = 0;
      if (size < 0) break;  // null
      TM_RETURN_IF_ERROR(CheckSize(size));
      node.type = RespType::kBulk;
      node.size = static_cast<size_t>(size);
      if (buffer_.size() - after_line < node.size + 2) return false;
      if (buffer_.compare(after_line + node.size, 2, "\r\n") != 0) return NotResp("a text longer than its length");
      at_ = after_line + node.size + 2;
      Add(node);
      return true;
    }
    case '*':
      if (!ParseRespNumber(line, &node.number) || node.number < -1) return NotResp("a count that is none");
      node.size = 0;
      if (node.number < 0) break;  // null
      node.type = RespType::kArray;
      if (node.number > limits_.values_max)
        return Status(kLimitExceeded, "a reply has more than " + std::to_string(limits_.values_max) + " values");
      if (open_.size() >= limits_.depth_max) return NotResp("too many arrays in each other");
      break;
    default:
      return NotResp("a type that is none");
  }
  at_ = after_line;
  Add(node);
  return true;
}

Result<bool> RespReader::Parse() {
  while (nodes_.empty() || !open_.empty()) {
    if (static_cast<int64_t>(nodes_.size()) >= limits_.values_max)
      return Status(kLimitExceeded, "a reply has more than " + std::to_string(limits_.values_max) + " values");
    TM_ASSIGN_OR_RETURN(const bool whole, ParseValue());
    if (!whole) return false;
  }
  return true;
}

RespReply RespReader::Take() {
  RespReply reply;
  reply.nodes = std::move(nodes_);
  nodes_.clear();
  if (start_ == 0 && at_ == buffer_.size()) {
    reply.bytes = std::move(buffer_);
    buffer_.clear();
    at_ = 0;
    return reply;
  }
  reply.bytes = buffer_.substr(start_, at_ - start_);
  for (RespNode& node : reply.nodes) node.begin -= start_;
  start_ = at_;
  DropTaken();
  return reply;
}

RespNode RespReader::TakeFirst(std::string_view* text) {
  const RespNode node = nodes_[0];
  *text = std::string_view(buffer_).substr(node.begin, node.size);
  nodes_.clear();
  start_ = at_;
  return node;
}

void RespReader::Append(std::string_view bytes) {
  // What was taken goes when that costs little for what stays.
  if (start_ == buffer_.size() || start_ >= kDropAt) DropTaken();
  buffer_.append(bytes);
}

void RespReader::DropTaken() {
  buffer_.erase(0, start_);
  for (RespNode& node : nodes_) node.begin -= start_;
  at_ -= start_;
  start_ = 0;
}

void AppendRespArrayHeader(size_t count, std::string* out) {
  *out += '*';
  AppendRespNumber(count, out);
}

void AppendRespBulk(std::string_view text, std::string* out) {
  *out += '$';
  AppendRespNumber(text.size(), out);
  out->append(text);
  out->append("\r\n");
}

void AppendRespCommand(std::span<const std::string_view> words, std::string* out) {
  AppendRespArrayHeader(words.size(), out);
  for (const std::string_view word : words) AppendRespBulk(word, out);
}

}  // namespace tidemill
