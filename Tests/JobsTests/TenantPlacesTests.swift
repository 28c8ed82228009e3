import Kernel
import Testing

@testable import Jobs

@Suite struct TenantPlacesTests {
    private func tenant(_ number: Int) -> TenantID { TenantID(high: 1, low: UInt64(number)) }

    @Test func `however many tenants have much to do, the next one finds a place`() {
        let places = TenantPlaces(32, share: 8)
        var held: [Int] = []
        for number in 1...6 {
            var count = 0
            while places.sharedRoom.free > 0, !places.sharedRoom.full.contains(tenant(number)) {
                for _ in 0..<places.sharedRoom.free {
                    places.enter(tenant(number))
                    count += 1
                }
            }
            held.append(count)
        }
        #expect(held == [8, 8, 8, 4, 2, 1])
        #expect(places.sharedRoom.free == 1)
        for _ in 0..<8 { places.leave(tenant(1)) }
        #expect(!places.sharedRoom.full.contains(tenant(1)) && places.sharedRoom.free > 0)
    }
}
