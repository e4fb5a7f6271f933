#include "server/line_input.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/errors.h"

namespace tidemill {
namespace {

constexpr size_t kPiece = 1 << 20;
constexpr size_t kLineBytesMax = 1 << 30;

}  // namespace

Result<LineInput> LineInput::Open(const std::string& path) {
  if (path == "-") return LineInput(STDIN_FILENO, false);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd >= 0) return LineInput(fd, true);
  const int error = errno;
  return Status(error == ENOENT   ? kFileNotFound
                : error == EACCES ? kPermissionDenied
                                  : kIoError,
                "can't read '" + path + "': " + std::strerror(error));
}

LineInput::LineInput(LineInput&& other) noexcept
    : fd_(other.fd_),
      owned_(std::exchange(other.owned_, false)),
      ended_(other.ended_),
      buffer_(std::move(other.buffer_)),
      at_(other.at_),
      error_(std::move(other.error_)) {}

LineInput::~LineInput() {
  if (owned_) close(fd_);
}

bool LineInput::Next(std::string* line) {
  size_t searched = at_;
  while (true) {
    const size_t end = buffer_.find('\n', searched);
    if (end != std::string::npos) {
      line->assign(buffer_, at_, end - at_);
      at_ = end + 1;
      return true;
    }
    const size_t pending = buffer_.size() - at_;
    if (ended_) {
      if (pending == 0) return false;
      line->assign(buffer_, at_, pending);
      at_ = buffer_.size();
      return true;
    }
    if (pending > kLineBytesMax) {
      error_ = Status(kLimitExceeded, "a line is longer than 1 GiB");
      return false;
    }
    buffer_.erase(0, at_);
    at_ = 0;
    searched = pending;
    if (!Fill()) return false;
  }
}

bool LineInput::WouldWait() {
  if (ended_ || buffer_.find('\n', at_) != std::string::npos) return false;
  pollfd waiting{fd_, POLLIN, 0};
  return poll(&waiting, 1, 0) == 0;
}

bool LineInput::Fill() {
  const size_t before = buffer_.size();
  buffer_.resize(before + kPiece);
  ssize_t n = 0;
  do {
    n = read(fd_, buffer_.data() + before, kPiece);
  } while (n < 0 && errno == EINTR);
  buffer_.resize(before + static_cast<size_t>(n > 0 ? n : 0));
  if (n < 0) error_ = Status(kIoError, std::string("can't read: ") + std::strerror(errno));
  if (n == 0) ended_ = true;
  return n >= 0;
}

}  // namespace tidemill
