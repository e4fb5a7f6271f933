#include <openssl/evp.h>
#include <openssl/rand.h>

#include "function/function_groups.h"
#include "function/internal/bind.h"
#include "function/internal/row_kernel.h"
#include "function/internal/utf8.h"

namespace tidemill {
namespace {

using Text = std::string_view;

constexpr char kHexLower[] = "0123456789abcdef";
constexpr char kHexUpper[] = "0123456789ABCDEF";

void AppendHex(Text bytes, const char* digits, std::string& out) {
  for (char c : bytes) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// ---- Digests, as lower-case hex

bool AppendDigest(Row& row, Text text, const EVP_MD* kind, std::string& out) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), digest, &size, kind, nullptr) != 1) {
    row.Raise(kInvalidArgument, "the digest is not available in this OpenSSL");
    return false;
  }
  AppendHex({reinterpret_cast<const char*>(digest), size}, kHexLower, out);
  return true;
}
template <const EVP_MD* (*kKind)()>
bool Digest(Row& row, Text text, std::string& out) {
  return AppendDigest(row, text, kKind(), out);
}
template <const EVP_MD* (*kKind)()>
Result<ResolvedCall> BindDigest(std::string_view name, Args args) {
  const DataType type = !args.empty() && args[0].type.kind() == TypeKind::kBytes ? BytesType() : StringType();
  return Bind(name, args, {type}, StringType(), RowKernel<Digest<kKind>, std::string, Text>);
}
bool Sha2(Row& row, Text text, int32_t bits, std::string& out) {
  const EVP_MD* kind = bits == 224                ? EVP_sha224()
                       : bits == 256 || bits == 0 ? EVP_sha256()
                       : bits == 384              ? EVP_sha384()
                       : bits == 512              ? EVP_sha512()
                                                  : nullptr;
  return kind != nullptr && AppendDigest(row, text, kind, out);
}

// ---- Base 64, hex, URL

constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void ToBase64(Row&, Text text, std::string& out) {
  for (size_t i = 0; i < text.size(); i += 3) {
    const auto byte = [&](size_t k) { return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0u; };
    const uint32_t bits = byte(0) << 16 | byte(1) << 8 | byte(2);
    out += kBase64[bits >> 18];
    out += kBase64[bits >> 12 & 63];
    out += i + 1 < text.size() ? kBase64[bits >> 6 & 63] : '=';
    out += i + 2 < text.size() ? kBase64[bits & 63] : '=';
  }
}
bool DecodeBase64(Text text, std::string& out) {
  for (int pads = 0; pads < 2 && text.ends_with('='); ++pads) text.remove_suffix(1);
  uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    const char* at = c == '\0' ? nullptr : std::char_traits<char>::find(kBase64, 64, c);
    if (at == nullptr) return false;
    bits = bits << 6 | static_cast<uint32_t>(at - kBase64);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 0xff);
    }
  }
  return text.size() % 4 != 1;
}
bool FromBase64(Row& row, Text text, std::string& out) {
  if (DecodeBase64(text, out)) return true;
  row.Raise(kInvalidArgument, "malformed Base64");
  return false;
}

void HexOfText(Row&, Text text, std::string& out) { AppendHex(text, kHexUpper, out); }
void HexOfNumber(Row&, int64_t value, std::string& out) {
  auto bits = static_cast<uint64_t>(value);
  do out.insert(out.begin(), kHexUpper[bits & 15]);
  while ((bits >>= 4) != 0);
}
void Binary(Row&, int64_t value, std::string& out) {
  auto bits = static_cast<uint64_t>(value);
  do out.insert(out.begin(), static_cast<char>('0' + (bits & 1)));
  while ((bits >>= 1) != 0);
}
bool Unhex(Row&, Text text, std::string& out) {
  int high = 0;
  if (text.size() % 2 == 1) {  // an odd first digit stands alone
    high = HexValue(text[0]);
    if (high < 0) return false;
    out += static_cast<char>(high);
    text.remove_prefix(1);
  }
  for (size_t i = 0; i < text.size(); i += 2) {
    const int a = HexValue(text[i]), b = HexValue(text[i + 1]);
    if (a < 0 || b < 0) return false;
    out += static_cast<char>(a << 4 | b);
  }
  return true;
}
Result<ResolvedCall> BindHex(Args args) {
  if (args.size() == 1 && args[0].type.IsInteger())
    return Bind("HEX", args, {BigIntType()}, StringType(), RowKernel<HexOfNumber, std::string, int64_t>);
  const DataType type = !args.empty() && args[0].type.kind() == TypeKind::kBytes ? BytesType() : StringType();
  return Bind("HEX", args, {type}, StringType(), RowKernel<HexOfText, std::string, Text>);
}

// As Java's URLEncoder and URLDecoder: a form, in which a space is +.
void UrlEncode(Row&, Text text, std::string& out) {
  for (char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
                       c == '-' || c == '*' || c == '_';
    if (plain) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      out += '%';
      AppendHex({&c, 1}, kHexUpper, out);
    }
  }
}
bool UrlDecode(Row&, Text text, std::string& out) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const int a = i + 2 < text.size() ? HexValue(text[i + 1]) : -1,
              b = i + 2 < text.size() ? HexValue(text[i + 2]) : -1;
    if (a < 0 || b < 0) return false;
    out += static_cast<char>(a << 4 | b);
    i += 2;
  }
  return true;
}

// ---- Character sets

enum class Charset : uint8_t { kAscii, kLatin1, kUtf8, kUtf16, kUtf16Be, kUtf16Le, kUnknown };

Charset CharsetOf(Text name) {
  std::string upper;
  for (char c : name) upper += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  if (upper == "US-ASCII" || upper == "ASCII") return Charset::kAscii;
  if (upper == "ISO-8859-1" || upper == "LATIN1") return Charset::kLatin1;
  if (upper == "UTF-8" || upper == "UTF8") return Charset::kUtf8;
  if (upper == "UTF-16") return Charset::kUtf16;
  if (upper == "UTF-16BE") return Charset::kUtf16Be;
  if (upper == "UTF-16LE") return Charset::kUtf16Le;
  return Charset::kUnknown;
}

bool RefuseCharset(Row& row, Text name) {
  row.Raise(kInvalidArgument, "no character set '" + std::string(name.substr(0, 32)) +
                                  "'; there are US-ASCII, ISO-8859-1, UTF-8, UTF-16, UTF-16BE and UTF-16LE");
  return false;
}

void AppendUnit(uint32_t unit, bool little, std::string& out) {
  const char high = static_cast<char>(unit >> 8), low = static_cast<char>(unit);
  out += little ? low : high;
  out += little ? high : low;
}

bool Encode(Row& row, Text text, Text name, std::string& out) {
  const Charset charset = CharsetOf(name);
  if (charset == Charset::kUnknown) return RefuseCharset(row, name);
  if (charset == Charset::kUtf8) {
    out = text;
    return true;
  }
  if (charset == Charset::kUtf16) AppendUnit(0xfeff, false, out);
  const bool little = charset == Charset::kUtf16Le;
  while (!text.empty()) {
    const uint32_t c = TakeCodePoint(text);
    if (charset == Charset::kAscii || charset == Charset::kLatin1) {
      out += c < (charset == Charset::kAscii ? 0x80u : 0x100u) ? static_cast<char>(c) : '?';
    } else if (c < 0x10000) {
      AppendUnit(c, little, out);
    } else {
      AppendUnit(0xd800 + ((c - 0x10000) >> 10), little, out);
      AppendUnit(0xdc00 + ((c - 0x10000) & 0x3ff), little, out);
    }
  }
  return true;
}

constexpr uint32_t kReplacement = 0xfffd;

// Bytes that are no UTF-8 become U+FFFD.
void AppendValidUtf8(Text bytes, std::string& out) {
  while (!bytes.empty()) {
    const auto first = static_cast<unsigned char>(bytes[0]);
    const size_t length = first < 0x80                    ? 1
                          : first >= 0xc2 && first < 0xe0 ? 2
                          : first >= 0xe0 && first < 0xf0 ? 3
                          : first >= 0xf0 && first < 0xf5 ? 4
                                                          : 0;
    bool ok = length > 0 && bytes.size() >= length;
    for (size_t i = 1; ok && i < length; ++i) ok = IsContinuation(bytes[i]);
    if (ok && length > 1) {
      Text rest = bytes.substr(0, length);
      const uint32_t c = TakeCodePoint(rest);
      ok = length == 2 || (length == 3 ? c >= 0x800 && (c < 0xd800 || c > 0xdfff) : c >= 0x10000 && c <= 0x10ffff);
    }
    if (ok)
      out += bytes.substr(0, length);
    else
      AppendCodePoint(kReplacement, out);
    bytes.remove_prefix(ok ? length : 1);
  }
}

bool Decode(Row& row, Text bytes, Text name, std::string& out) {
  const Charset charset = CharsetOf(name);
  switch (charset) {
    case Charset::kUnknown:
      return RefuseCharset(row, name);
    case Charset::kUtf8:
      AppendValidUtf8(bytes, out);
      return true;
    case Charset::kAscii:
    case Charset::kLatin1:
      for (char c : bytes) {
        const auto code = static_cast<unsigned char>(c);
        AppendCodePoint(charset == Charset::kAscii && code >= 0x80 ? kReplacement : code, out);
      }
      return true;
    default:
      break;
  }
  bool little = charset == Charset::kUtf16Le;
  if (charset == Charset::kUtf16 && bytes.size() >= 2) {
    const bool mark_little = bytes.starts_with("\xff\xfe"), mark_big = bytes.starts_with("\xfe\xff");
    little = mark_little;
    if (mark_little || mark_big) bytes.remove_prefix(2);
  }
  const auto unit = [&](size_t i) -> uint32_t {
    const auto a = static_cast<unsigned char>(bytes[i]), b = static_cast<unsigned char>(bytes[i + 1]);
    return little ? a | b << 8 : a << 8 | b;
  };
  size_t i = 0;
  for (; i + 1 < bytes.size(); i += 2) {
    uint32_t c = unit(i);
    if (c >= 0xd800 && c < 0xdc00 && i + 3 < bytes.size() && unit(i + 2) >= 0xdc00 && unit(i + 2) < 0xe000) {
      c = 0x10000 + ((c - 0xd800) << 10) + (unit(i + 2) - 0xdc00);
      i += 2;
    } else if (c >= 0xd800 && c < 0xe000) {
      c = kReplacement;
    }
    AppendCodePoint(c, out);
  }
  if (i < bytes.size()) AppendCodePoint(kReplacement, out);
  return true;
}

// ---- UUID: 122 random bits of the operating system; the clock would give two lanes the same.

Result<arrow::Datum> UuidKernel(EvalContext& context, std::span<const arrow::Datum>, const DataType& result) {
  arrow::StringBuilder builder;
  for (int64_t i = 0; i < context.num_rows(); ++i) {
    unsigned char bytes[16];
    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
      return Status(kInternalError, "the operating system gave no random bytes");
    bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);
    bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
    std::string text;
    AppendHex({reinterpret_cast<const char*>(bytes), sizeof(bytes)}, kHexLower, text);
    for (size_t at : {20, 16, 12, 8}) text.insert(at, "-");
    TM_ARROW_RETURN_IF_ERROR(builder.Append(text), "UUID");
  }
  std::shared_ptr<arrow::Array> out;
  TM_ARROW_RETURN_IF_ERROR(builder.Finish(&out), "UUID");
  TM_CHECK(out->type()->Equals(ToArrow(result)));
  return arrow::Datum(std::move(out));
}

}  // namespace

std::vector<ScalarFunction> EncodingFunctions() {
  return {
      {"MD5", "MD5(text STRING) -> STRING", "The MD5 digest in hex.", "MD5('tide')", "97dc284cf580da5ebef4aa4b47c13dce",
       [](Args args) { return BindDigest<EVP_md5>("MD5", args); }},
      {"SHA1", "SHA1(text STRING) -> STRING", "The SHA-1 digest in hex.", "SHA1('')",
       "da39a3ee5e6b4b0d3255bfef95601890afd80709", [](Args args) { return BindDigest<EVP_sha1>("SHA1", args); }},
      {"SHA224", "SHA224(text STRING) -> STRING", "The SHA-224 digest in hex.", "SHA224('')",
       "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f",
       [](Args args) { return BindDigest<EVP_sha224>("SHA224", args); }},
      {"SHA256", "SHA256(text STRING) -> STRING", "The SHA-256 digest in hex.", "SHA256('abc')",
       "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
       [](Args args) { return BindDigest<EVP_sha256>("SHA256", args); }},
      {"SHA384", "SHA384(text STRING) -> STRING", "The SHA-384 digest in hex.", "LEFT(SHA384('abc'), 16)",
       "cb00753f45a35e8b", [](Args args) { return BindDigest<EVP_sha384>("SHA384", args); }},
      {"SHA512", "SHA512(text STRING) -> STRING", "The SHA-512 digest in hex.", "LEFT(SHA512('abc'), 16)",
       "ddaf35a193617aba", [](Args args) { return BindDigest<EVP_sha512>("SHA512", args); }},
      {"SHA2", "SHA2(text STRING, bits INT) -> STRING",
       "The SHA-2 digest of 224, 256, 384 or 512 bits in hex; NULL for another number.", "LEFT(SHA2('abc', 256), 8)",
       "ba7816bf",
       [](Args args) {
         return Bind("SHA2", args, {StringType(), IntType()}, StringType(), RowKernel<Sha2, std::string, Text, int32_t>,
                     Nulls::kMaybe);
       }},
      {"TO_BASE64", "TO_BASE64(text STRING) -> STRING", "The text's bytes in Base64.", "TO_BASE64('tide')", "dGlkZQ==",
       [](Args args) {
         return Bind("TO_BASE64", args, {StringType()}, StringType(), RowKernel<ToBase64, std::string, Text>);
       }},
      {"FROM_BASE64", "FROM_BASE64(text STRING) -> STRING",
       "The text that the Base64 holds; malformed Base64 is an error of the row.", "FROM_BASE64('dGlkZQ==')", "tide",
       [](Args args) {
         return Bind("FROM_BASE64", args, {StringType()}, StringType(), RowKernel<FromBase64, std::string, Text>);
       }},
      {"HEX", "HEX(number or text) -> STRING", "The number, or the bytes of the text, in hex.", "HEX(255)", "FF",
       BindHex},
      {"UNHEX", "UNHEX(text STRING) -> BYTES",
       "The bytes that the hex digits say; NULL when there is another character.", "UNHEX('74696465')", "tide",
       [](Args args) {
         return Bind("UNHEX", args, {StringType()}, BytesType(), RowKernel<Unhex, std::string, Text>, Nulls::kMaybe);
       }},
      {"BIN", "BIN(number BIGINT) -> STRING", "The number in binary.", "BIN(10)", "1010",
       [](Args args) {
         return Bind("BIN", args, {BigIntType()}, StringType(), RowKernel<Binary, std::string, int64_t>);
       }},
      {"URL_ENCODE", "URL_ENCODE(text STRING) -> STRING", "The text as a part of a web form's address.",
       "URL_ENCODE('a b&c')", "a+b%26c",
       [](Args args) {
         return Bind("URL_ENCODE", args, {StringType()}, StringType(), RowKernel<UrlEncode, std::string, Text>);
       }},
      {"URL_DECODE", "URL_DECODE(text STRING) -> STRING", "The reverse of URL_ENCODE; NULL when malformed.",
       "URL_DECODE('a+b%26c')", "a b&c",
       [](Args args) {
         return Bind("URL_DECODE", args, {StringType()}, StringType(), RowKernel<UrlDecode, std::string, Text>,
                     Nulls::kMaybe);
       }},
      {"ENCODE", "ENCODE(text STRING, charset STRING) -> BYTES", "The text's bytes in a character set.",
       "HEX(ENCODE('é', 'ISO-8859-1'))", "E9",
       [](Args args) {
         return Bind("ENCODE", args, {StringType(), StringType()}, BytesType(),
                     RowKernel<Encode, std::string, Text, Text>);
       }},
      {"DECODE", "DECODE(bytes BYTES, charset STRING) -> STRING", "The text that the bytes are in a character set.",
       "DECODE(x'E9', 'ISO-8859-1')", "é",
       [](Args args) {
         return Bind("DECODE", args, {BytesType(), StringType()}, StringType(),
                     RowKernel<Decode, std::string, Text, Text>);
       }},
      {"UUID", "UUID() -> STRING", "A random UUID (version 4).", "CHAR_LENGTH(UUID())", "36",
       [](Args args) { return Bind("UUID", args, {}, StringType(), UuidKernel, Nulls::kNever); }, false},
  };
}

}  // namespace tidemill
