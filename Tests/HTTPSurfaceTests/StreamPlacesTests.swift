import Kernel
import Testing

@testable import HTTPSurface

@Suite(.timeLimit(.minutes(3))) struct StreamPlacesTests {
    private func isFull(_ places: StreamPlaces, _ actor: Principal.Actor, in tenant: TenantID?) -> Bool {
        do {
            _ = try places.take(actor, in: tenant)
            return false
        } catch {
            return (error as? Refusal)?.code == "too_many_streams"
        }
    }

    @Test func `a person has so many streams and no more, until one of them ends`() throws {
        let places = StreamPlaces(perTenant: 1_000)
        let (ana, ben) = (Principal.Actor.user(UserID(high: 1, low: 1)), Principal.Actor.user(UserID(high: 1, low: 2)))
        var held = try (0..<Limits.streamsPerPerson).map { _ in try places.take(ana, in: SurfaceHarness.acme) }
        #expect(isFull(places, ana, in: SurfaceHarness.acme) && isFull(places, ana, in: SurfaceHarness.other))
        #expect(!isFull(places, ben, in: SurfaceHarness.acme))
        held.removeLast()
        #expect(!isFull(places, ana, in: SurfaceHarness.acme))
        #expect(held.count == Limits.streamsPerPerson - 1)
    }

    @Test func `a tenant's key has as many as the tenant, and takes none from another tenant`() throws {
        let places = StreamPlaces(perTenant: Limits.streamsPerPerson * 2)
        let key = Principal.Actor.apiKey(APIKeyID(high: 2, low: 2))
        var held = try (0..<Limits.streamsPerPerson * 2).map { _ in try places.take(key, in: SurfaceHarness.acme) }
        #expect(isFull(places, key, in: SurfaceHarness.acme))
        #expect(isFull(places, .user(UserID(high: 1, low: 1)), in: SurfaceHarness.acme))
        #expect(!isFull(places, key, in: SurfaceHarness.other))
        held.removeAll()
        #expect(!isFull(places, key, in: SurfaceHarness.acme))
    }

    @Test func `a stream beyond the limit is answered 429 in words, and one more is let in when another has ended`() async throws {
        let (events, feed) = AsyncStream<ServerEvent>.makeStream()
        let (opened, open) = AsyncStream<Void>.makeStream()
        let endpoint = Endpoint.events("/v1/events", access: .tenant("notes.read"), summary: "Events", tag: "Notes") { _ in
            open.yield()
            return events
        }
        var settings = Surface.Settings()
        settings.streamsPerTenant = 1
        let other = SurfaceHarness([endpoint]).surface
        let surface = Surface(endpoints: [endpoint], doors: other.doors, ids: other.ids, settings: settings, logger: other.logger)
        let request = LocalRequest("GET", "/v1/events", headers: [(name: "Authorization", value: "Bearer key-acme")])
        async let first = surface.answer(request)
        _ = await opened.first { _ in true }
        let refused = try await surface.answer(request)
        #expect(refused.status == 429)
        #expect(refused.header("Retry-After") == "15")
        #expect(refused.text.contains("too_many_streams") && refused.text.contains("At most 1 event streams"))
        feed.finish()
        let ended = try await first
        #expect(ended.status == 200)
        #expect(try await surface.answer(request).status == 200)
    }
}
