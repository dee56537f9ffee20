#include "storage/log_format.hpp"

#include "messages/assert.hpp"
#include "storage/little_endian.hpp"

namespace kiwi::storage {
namespace {

constexpr std::uint8_t kSealVersion = 1;

std::string key_of(char prefix, std::uint64_t number) {
  std::string key(1, prefix);
  for (int shift = 56; shift >= 0; shift -= 8) {
    key.push_back(static_cast<char>((number >> shift) & 0xff));
  }
  return key;
}

/// The key is part of the checksum: a value that lies under another key is no good value.
std::uint64_t seal_of(std::string_view key, std::string_view versioned) {
  return checksum64(std::string(key).append(versioned));
}

std::string sealed(std::string_view key, std::string_view fields) {
  std::string out(1, static_cast<char>(kSealVersion));
  out.append(fields);
  put_little(out, seal_of(key, out));
  return out;
}

/// Gives the fields between version and checksum.
Decoded<std::string_view> unsealed(std::string_view key, std::string_view value) {
  if (value.size() < 1 + 8) {
    return tl::unexpected(DecodeError{"record too short"});
  }
  const auto versioned = value.substr(0, value.size() - 8);
  if (load_little<std::uint64_t>(value.data() + versioned.size()) != seal_of(key, versioned)) {
    return tl::unexpected(DecodeError{"checksum mismatch"});
  }
  if (static_cast<std::uint8_t>(value[0]) != kSealVersion) {
    return tl::unexpected(DecodeError{"unknown record version"});
  }
  return versioned.substr(1);
}

tl::unexpected<DecodeError> malformed(const char* what) {
  return tl::unexpected(DecodeError{std::string("malformed ") + what});
}

}  // namespace

std::uint32_t family_of_entries(std::uint32_t format) { return format == kOldestLogFormatVersion ? 0 : 1; }

std::string entry_key(Index index) { return key_of(kEntryPrefix, index.value); }
std::string binding_key(NodeId node) { return key_of(kBindingPrefix, node.value); }
bool is_entry_key(std::string_view key) { return key.size() == 9 && key[0] == kEntryPrefix; }
bool is_binding_key(std::string_view key) { return key.size() == 9 && key[0] == kBindingPrefix; }

Index index_of_entry_key(std::string_view key) {
  KIWI_ASSERT(is_entry_key(key), "not the key of an entry");
  std::uint64_t number = 0;
  for (const char c : key.substr(1)) {
    number = number << 8 | static_cast<unsigned char>(c);
  }
  return Index(number);
}

std::string encode_state(const LogState& state) {
  std::string fields;
  for (const std::uint64_t x : {state.instance.value, state.serial, state.vote.term.value,
                                state.vote.voted_for.value, state.purged.term.value, state.purged.index.value,
                                state.last.term.value, state.last.index.value, state.bindings}) {
    put_little(fields, x);
  }
  auto value = sealed(kStateKey, fields);
  KIWI_ASSERT(value.size() == kStateBytes, "the state has a fixed size");
  return value;
}

Decoded<LogState> decode_state(std::string_view value) {
  const auto fields = unsealed(kStateKey, value);
  if (!fields) {
    return tl::unexpected(fields.error());
  }
  FieldReader in(*fields);
  const auto next = [&in] { return in.integer<std::uint64_t>(); };
  LogState state;
  state.instance = InstanceId(next());
  state.serial = next();
  state.vote.term = Term(next());
  state.vote.voted_for = NodeId(next());
  state.purged.term = Term(next());
  state.purged.index = Index(next());
  state.last.term = Term(next());
  state.last.index = Index(next());
  state.bindings = next();
  if (!in.complete() || state.last.index < state.purged.index) {
    return malformed("log state");
  }
  return state;
}

std::string encode_identity(const Identity& identity) {
  std::string fields;
  put_little(fields, identity.cluster.value);
  put_little(fields, identity.node.value);
  put_little(fields, identity.instance.value);
  put_little(fields, identity.address.redis_port);
  put_little(fields, identity.address.raft_port);
  put_text(fields, identity.address.host);
  put_text(fields, encode_membership(identity.initial_membership));
  if (!identity.origin.empty()) {
    put_text(fields, identity.origin);
  }
  return sealed(kIdentityKey, fields);
}

Decoded<Identity> decode_identity(std::string_view value) {
  const auto fields = unsealed(kIdentityKey, value);
  if (!fields) {
    return tl::unexpected(fields.error());
  }
  FieldReader in(*fields);
  Identity identity;
  identity.cluster = ClusterId(in.integer<std::uint64_t>());
  identity.node = NodeId(in.integer<std::uint64_t>());
  identity.instance = InstanceId(in.integer<std::uint64_t>());
  identity.address.redis_port = in.integer<std::uint16_t>();
  identity.address.raft_port = in.integer<std::uint16_t>();
  identity.address.host = std::string(in.text());
  const auto membership_bytes = in.text();
  if (in.ok() && !in.complete()) {
    identity.origin = std::string(in.text());
    if (identity.origin.empty()) {
      return malformed("identity");  // each value has one encoding
    }
  }
  if (!in.complete()) {
    return malformed("identity");
  }
  auto membership = decode_membership(membership_bytes);
  if (!membership) {
    return tl::unexpected(membership.error());
  }
  identity.initial_membership = std::move(*membership);
  return identity;
}

std::string encode_members(const std::pair<LogId, Membership>& known) {
  std::string fields;
  put_little(fields, known.first.term.value);
  put_little(fields, known.first.index.value);
  put_text(fields, encode_membership(known.second));
  return sealed(kMembersKey, fields);
}

Decoded<std::pair<LogId, Membership>> decode_members(std::string_view value) {
  const auto fields = unsealed(kMembersKey, value);
  if (!fields) {
    return tl::unexpected(fields.error());
  }
  FieldReader in(*fields);
  LogId id;
  id.term = Term(in.integer<std::uint64_t>());
  id.index = Index(in.integer<std::uint64_t>());
  const auto bytes = in.text();
  if (!in.complete() || id == LogId{}) {
    return malformed("membership of the purge point");
  }
  auto membership = decode_membership(bytes);
  if (!membership) {
    return tl::unexpected(membership.error());
  }
  return std::pair(id, std::move(*membership));
}

std::string encode_binding(const PeerBinding& binding) {
  std::string fields;
  put_little(fields, binding.node.value);
  put_little(fields, binding.instance.value);
  return sealed(binding_key(binding.node), fields);
}

Decoded<PeerBinding> decode_binding(std::string_view key, std::string_view value) {
  const auto fields = unsealed(key, value);
  if (!fields) {
    return tl::unexpected(fields.error());
  }
  FieldReader in(*fields);
  PeerBinding binding;
  binding.node = NodeId(in.integer<std::uint64_t>());
  binding.instance = InstanceId(in.integer<std::uint64_t>());
  if (!in.complete() || binding_key(binding.node) != key) {
    return malformed("peer binding");
  }
  return binding;
}

}  // namespace kiwi::storage
