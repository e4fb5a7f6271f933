#include "base/frame_output.h"

#include <algorithm>
#include <cerrno>

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace tidemill {
namespace {

constexpr size_t kVectorsMax = 16;
constexpr int64_t kSendfileMax = 1 << 30;  // the kernel takes less than 2 GiB at once

}  // namespace

void FrameOutput::Add(FrameReply reply) {
  if (reply.silent) return;
  const FrameReply& kept = replies_.emplace_back(std::move(reply));
  uint32_t length = 0;
  for (const FramePiece& piece : kept.pieces) length += static_cast<uint32_t>(piece.size());
  const auto& head =
      lengths_.emplace_back(std::array<char, 4>{static_cast<char>(length >> 24), static_cast<char>(length >> 16),
                                                static_cast<char>(length >> 8), static_cast<char>(length)});
  parts_.push_back({head.data(), 4});
  for (const FramePiece& piece : kept.pieces) {
    if (piece.size() > 0) parts_.push_back({piece.bytes.data(), piece.size(), piece.file.get(), piece.offset});
  }
  bytes_ += 4 + length;
}

// As many parts as lie in memory next to each other.
ssize_t FrameOutput::SendMemory(int socket) const {
  std::array<iovec, kVectorsMax> vectors;
  size_t count = 0;
  size_t at = next_;
  for (; at < parts_.size() && count < kVectorsMax && parts_[at].file == nullptr; ++at)
    vectors[count++] = {const_cast<char*>(parts_[at].data), static_cast<size_t>(parts_[at].length)};
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = count;
  return ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT | (at < parts_.size() ? MSG_MORE : 0));
}

ssize_t FrameOutput::SendFile(int socket) {
  Part& part = parts_[next_];
  off_t at = part.offset;
  const ssize_t sent =
      part.file->descriptor() < 0
          ? -1
          : ::sendfile(socket, part.file->descriptor(), &at, static_cast<size_t>(std::min(part.length, kSendfileMax)));
  if (part.file->descriptor() >= 0 && (sent >= 0 || (errno != EINVAL && errno != ENOSYS))) return sent;
  std::string& bytes = read_.emplace_back(static_cast<size_t>(part.length), '\0');
  const auto got = part.file->ReadAt(part.offset, part.length, bytes.data());
  if (!got.ok() || *got != part.length) return 0;
  part = {bytes.data(), part.length};
  return SendMemory(socket);
}

FrameOutput::Progress FrameOutput::SendTo(int socket) {
  while (next_ < parts_.size()) {
    const ssize_t sent = parts_[next_].file == nullptr ? SendMemory(socket) : SendFile(socket);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Progress::kBlocked;
    if (sent <= 0) return Progress::kFailed;  // 0: the file is shorter than it was
    Advance(sent);
  }
  return Progress::kDone;
}

void FrameOutput::Advance(int64_t bytes) {
  while (bytes > 0) {
    Part& part = parts_[next_];
    const int64_t taken = std::min(bytes, part.length);
    part.length -= taken;
    if (part.file == nullptr) part.data += taken;
    part.offset += taken;
    bytes -= taken;
    if (part.length == 0) ++next_;
  }
}

std::vector<std::string_view> FrameOutput::Views() const {
  std::vector<std::string_view> views;
  for (const Part& part : parts_) views.emplace_back(part.data, static_cast<size_t>(part.length));
  return views;
}

void FrameOutput::Clear() {
  parts_.clear();
  replies_.clear();
  lengths_.clear();
  read_.clear();
  next_ = 0;
  bytes_ = 0;
}

bool LoadPieces(std::span<FramePiece> pieces) {
  for (FramePiece& piece : pieces) {
    if (piece.file == nullptr) continue;
    piece.bytes.resize(static_cast<size_t>(piece.length));
    const auto got = piece.file->ReadAt(piece.offset, piece.length, piece.bytes.data());
    if (!got.ok() || *got != piece.length) return false;
    piece.file.reset();
  }
  return true;
}

}  // namespace tidemill
