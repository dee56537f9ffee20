#include "messages/key_slot.hpp"

#include <gtest/gtest.h>

namespace kiwi {
namespace {

TEST(KeySlot, CrcIsXmodem) {
  EXPECT_EQ(crc16_xmodem("123456789"), 0x31c3);
  EXPECT_EQ(crc16_xmodem(""), 0);
}

TEST(KeySlot, KnownSlots) {
  EXPECT_EQ(key_slot("foo"), 12182);
  EXPECT_EQ(key_slot("bar"), 5061);
  EXPECT_EQ(key_slot("hello"), 866);
  EXPECT_EQ(key_slot("123456789"), 0x31c3 % kSlots);
  EXPECT_EQ(key_slot(""), 0);
}

TEST(KeySlot, AHashTagIsHashedAlone) {
  EXPECT_EQ(key_slot("{user1000}.following"), key_slot("user1000"));
  EXPECT_EQ(key_slot("{user1000}.following"), key_slot("{user1000}.followers"));
  EXPECT_EQ(key_slot("a{foo}b"), 12182);
}

TEST(KeySlot, OnlyTheFirstPairOfBracesCounts) {
  EXPECT_EQ(key_slot("foo{{bar}}zap"), key_slot("{bar"));
  EXPECT_EQ(key_slot("foo{bar}{zap}"), key_slot("bar"));
}

TEST(KeySlot, AnEmptyOrOpenTagIsNone) {
  EXPECT_EQ(key_slot("foo{}{bar}"), crc16_xmodem("foo{}{bar}") % kSlots);
  EXPECT_EQ(key_slot("foo{bar"), crc16_xmodem("foo{bar") % kSlots);
  EXPECT_EQ(key_slot("}foo{"), crc16_xmodem("}foo{") % kSlots);
}

}  // namespace
}  // namespace kiwi
