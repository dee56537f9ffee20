#pragma once

#include <cstdint>
#include <string_view>

namespace kiwi {

inline constexpr std::uint16_t kSlots = 16384;

/// Redis Cluster's slot of a key: CRC16 (XMODEM) modulo 16384, of the hash tag "{...}" if there is a
/// non-empty one (Redis Cluster specification, "Key distribution model" and "Hash tags").
std::uint16_t key_slot(std::string_view key);

/// CRC-16/XMODEM of all of `bytes`.
std::uint16_t crc16_xmodem(std::string_view bytes);

}  // namespace kiwi
