// open62541's types with owners, and the conversions that everything here needs. No client, no
// sockets.
#pragma once

#include <open62541/types.h>
#include <open62541/types_generated.h>
#include <open62541/types_generated_handling.h>

#include <string>
#include <string_view>
#include <utility>

#include "base/time.hpp"

namespace tributary::connectors::opcua {

// The description of a type at run time, by its C type.
template <typename T>
const UA_DataType* type_of();
#define TRIBUTARY_UA_TYPE(name, index)             \
  template <>                                      \
  inline const UA_DataType* type_of<UA_##name>() { \
    return &UA_TYPES[UA_TYPES_##index];            \
  }
TRIBUTARY_UA_TYPE(Variant, VARIANT)
TRIBUTARY_UA_TYPE(DataValue, DATAVALUE)
TRIBUTARY_UA_TYPE(NodeId, NODEID)
TRIBUTARY_UA_TYPE(EventFilter, EVENTFILTER)
TRIBUTARY_UA_TYPE(EndpointDescription, ENDPOINTDESCRIPTION)
TRIBUTARY_UA_TYPE(UserTokenPolicy, USERTOKENPOLICY)
TRIBUTARY_UA_TYPE(GetEndpointsRequest, GETENDPOINTSREQUEST)
TRIBUTARY_UA_TYPE(GetEndpointsResponse, GETENDPOINTSRESPONSE)
TRIBUTARY_UA_TYPE(CloseSessionRequest, CLOSESESSIONREQUEST)
TRIBUTARY_UA_TYPE(CloseSessionResponse, CLOSESESSIONRESPONSE)
TRIBUTARY_UA_TYPE(ReadRequest, READREQUEST)
TRIBUTARY_UA_TYPE(ReadResponse, READRESPONSE)
TRIBUTARY_UA_TYPE(WriteRequest, WRITEREQUEST)
TRIBUTARY_UA_TYPE(WriteResponse, WRITERESPONSE)
TRIBUTARY_UA_TYPE(BrowseRequest, BROWSEREQUEST)
TRIBUTARY_UA_TYPE(BrowseResponse, BROWSERESPONSE)
TRIBUTARY_UA_TYPE(BrowseNextRequest, BROWSENEXTREQUEST)
TRIBUTARY_UA_TYPE(BrowseNextResponse, BROWSENEXTRESPONSE)
TRIBUTARY_UA_TYPE(HistoryReadRequest, HISTORYREADREQUEST)
TRIBUTARY_UA_TYPE(HistoryReadResponse, HISTORYREADRESPONSE)
TRIBUTARY_UA_TYPE(CallRequest, CALLREQUEST)
TRIBUTARY_UA_TYPE(CallResponse, CALLRESPONSE)
TRIBUTARY_UA_TYPE(CreateSubscriptionRequest, CREATESUBSCRIPTIONREQUEST)
TRIBUTARY_UA_TYPE(CreateSubscriptionResponse, CREATESUBSCRIPTIONRESPONSE)
TRIBUTARY_UA_TYPE(DeleteSubscriptionsRequest, DELETESUBSCRIPTIONSREQUEST)
TRIBUTARY_UA_TYPE(DeleteSubscriptionsResponse, DELETESUBSCRIPTIONSRESPONSE)
TRIBUTARY_UA_TYPE(SetPublishingModeRequest, SETPUBLISHINGMODEREQUEST)
TRIBUTARY_UA_TYPE(SetPublishingModeResponse, SETPUBLISHINGMODERESPONSE)
TRIBUTARY_UA_TYPE(CreateMonitoredItemsRequest, CREATEMONITOREDITEMSREQUEST)
TRIBUTARY_UA_TYPE(CreateMonitoredItemsResponse, CREATEMONITOREDITEMSRESPONSE)
TRIBUTARY_UA_TYPE(DataChangeNotification, DATACHANGENOTIFICATION)
TRIBUTARY_UA_TYPE(EventNotificationList, EVENTNOTIFICATIONLIST)
TRIBUTARY_UA_TYPE(StatusChangeNotification, STATUSCHANGENOTIFICATION)
TRIBUTARY_UA_TYPE(EventFilterResult, EVENTFILTERRESULT)
TRIBUTARY_UA_TYPE(PublishRequest, PUBLISHREQUEST)
TRIBUTARY_UA_TYPE(PublishResponse, PUBLISHRESPONSE)
TRIBUTARY_UA_TYPE(RepublishRequest, REPUBLISHREQUEST)
TRIBUTARY_UA_TYPE(RepublishResponse, REPUBLISHRESPONSE)
TRIBUTARY_UA_TYPE(TransferSubscriptionsRequest, TRANSFERSUBSCRIPTIONSREQUEST)
TRIBUTARY_UA_TYPE(TransferSubscriptionsResponse, TRANSFERSUBSCRIPTIONSRESPONSE)
#undef TRIBUTARY_UA_TYPE

// Owns what a value of a type points to.
template <typename T>
class Owned {
 public:
  Owned() { UA_init(&value_, type_of<T>()); }
  ~Owned() { UA_clear(&value_, type_of<T>()); }
  Owned(Owned&& other) noexcept : value_(other.value_) { UA_init(&other.value_, type_of<T>()); }
  Owned& operator=(Owned&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  // A deep copy.
  static Owned of(const T& from) {
    Owned copy;
    UA_copy(&from, &copy.value_, type_of<T>());
    return copy;
  }

  T& operator*() { return value_; }
  const T& operator*() const { return value_; }
  T* operator->() { return &value_; }
  const T* operator->() const { return &value_; }

 private:
  T value_;
};

// An array of `count` cleared elements in memory that UA_clear gives back.
template <typename T>
T* new_array(std::size_t count, const UA_DataType& type) {
  return static_cast<T*>(UA_Array_new(count, &type));
}

inline std::string_view view(const UA_String& text) {
  return {reinterpret_cast<const char*>(text.data), text.length};
}
inline std::string to_std(const UA_String& text) {
  return std::string(view(text));
}
// Points into `text`; never to be cleared.
inline UA_String borrow(std::string_view text) {
  return {text.size(), reinterpret_cast<UA_Byte*>(const_cast<char*>(text.data()))};
}
inline UA_String copy_of(std::string_view text) {
  const UA_String borrowed = borrow(text);
  UA_String copy;
  UA_String_init(&copy);
  UA_String_copy(&borrowed, &copy);
  return copy;
}

// OPC UA counts 100 ns from 1601. Times before 1970 and after 9999 are possible; 0 is "none".
UtcTime to_utc(UA_DateTime time);
UA_DateTime from_utc(UtcTime time);

}  // namespace tributary::connectors::opcua
