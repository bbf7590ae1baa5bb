import Foundation
import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPService

@Suite struct StaticAssetsTests {
    let text = "0123456789"
    var asset: Asset {
        get throws {
            try #require(StaticAssets(files: ["a.txt": self.text], modified: 1_000).asset(at: "/static/a.txt"))
        }
    }

    func body(_ response: HTTPResponse) -> String? {
        if case .bytes(let buffer) = response.body { String(buffer: buffer) } else { nil }
    }

    @Test func namesAreLookedUpExactly() throws {
        let assets = StaticAssets(files: ["index.html": "i", "login.html": "l", "docs.html": "d", "js/a.js": "j"])
        #expect(assets.asset(at: "/")?.contentType == "text/html; charset=utf-8")
        #expect(assets.asset(at: "/login")?.access == .open)
        #expect(assets.asset(at: "/docs")?.access == .page)
        #expect(assets.asset(at: "/static/js/a.js")?.contentType == "text/javascript; charset=utf-8")
        for path in ["/static/../index.html", "/static/js/../index.html", "/static/", "/static/js", "/index.html"] {
            #expect(assets.asset(at: path) == nil, "\(path)")
        }
    }

    @Test func aClientThatHasTheFileGets304() throws {
        let asset = try self.asset
        let tag = asset.entityTag
        for headers: HTTPHeaders in [
            ["If-None-Match": tag], ["If-None-Match": "\"x\", W/\(tag)"], ["If-None-Match": "*"],
            ["If-Modified-Since": HTTPDate.string(1_000)],
        ] {
            let response = asset.response(to: .GET, headers)
            #expect(response.status == .notModified, "\(headers)")
            #expect(response.headers.first(name: "etag") == tag)
            #expect(self.body(response) == nil)
        }
        for headers: HTTPHeaders in [
            ["If-None-Match": "\"x\""], ["If-Modified-Since": HTTPDate.string(999)],
            ["If-None-Match": "\"x\"", "If-Modified-Since": HTTPDate.string(1_000)],
            ["If-None-Match": "\"a,*,b\""], ["If-None-Match": "*, \"x\""],
            ["If-Modified-Since": "yesterday"],
            HTTPHeaders([
                ("If-Modified-Since", HTTPDate.string(1_000)), ("If-Modified-Since", HTTPDate.string(1_000)),
            ]),
        ] {
            #expect(asset.response(to: .GET, headers).status == .ok, "\(headers)")
        }
    }

    @Test(
        arguments: [
            ("bytes=0-3", 206, "0123", "bytes 0-3/10"), ("bytes=4-", 206, "456789", "bytes 4-9/10"),
            ("bytes=-3", 206, "789", "bytes 7-9/10"), ("bytes=-99", 206, "0123456789", "bytes 0-9/10"),
            ("bytes=8-99", 206, "89", "bytes 8-9/10"), ("bytes=10-", 416, nil, "bytes */10"),
            ("bytes=-0", 416, nil, "bytes */10"), ("bytes=3-2", 200, "0123456789", nil),
            ("bytes=0-1,3-4", 200, "0123456789", nil), ("lines=0-1", 200, "0123456789", nil),
            ("bytes=a-b", 200, "0123456789", nil), ("bytes=-", 200, "0123456789", nil),
            ("bytes=2-99999999999999999999", 206, "23456789", "bytes 2-9/10"),
            ("bytes=99999999999999999999-", 416, nil, "bytes */10"),
        ] as [(String, Int, String?, String?)])
    func rangesAreHonoured(range: String, status: Int, body: String?, contentRange: String?) throws {
        let response = try self.asset.response(to: .GET, ["Range": range])
        #expect(Int(response.status.code) == status)
        #expect(response.headers.first(name: "content-range") == contentRange)
        if let body { #expect(self.body(response) == body) }
    }

    @Test func aFileThatIsNotTheOneTheClientMeansIs412() throws {
        let asset = try self.asset
        let tag = asset.entityTag
        for headers: HTTPHeaders in [
            ["If-Match": "\"x\""], ["If-Match": "W/\(tag)"], ["If-Unmodified-Since": HTTPDate.string(999)],
            ["If-Match": "\"x\"", "If-None-Match": tag],
        ] {
            let response = asset.response(to: .GET, headers)
            #expect(response.status == .preconditionFailed, "\(headers)")
        }
        for headers: HTTPHeaders in [
            ["If-Match": tag], ["If-Match": "\"x\", \(tag)"], ["If-Match": "*"],
            ["If-Unmodified-Since": HTTPDate.string(1_000)], ["If-Unmodified-Since": "yesterday"],
            ["If-Match": tag, "If-Unmodified-Since": HTTPDate.string(999)],
        ] {
            #expect(asset.response(to: .GET, headers).status == .ok, "\(headers)")
        }
    }

    @Test func aRangeIsOfGETOnlyAndStandsOnce() throws {
        let asset = try self.asset
        #expect(asset.response(to: .HEAD, ["Range": "bytes=0-3"]).status == .ok)
        let twice = HTTPHeaders([("Range", "bytes=0-3"), ("Range", "bytes=0-3")])
        #expect(asset.response(to: .GET, twice).status == .ok)
        #expect(asset.response(to: .GET, ["Range": "bytes=0 - 3"]).status == .ok)
    }

    @Test func aFileIsNeverNewerThanNow() throws {
        try Self.withFolder { folder in
            try Self.write("a", to: folder, "a.txt")
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: 86_400)], ofItemAtPath: folder + "/a.txt")
            let asset = try #require(StaticAssets(directory: folder).asset(at: "/static/a.txt"))
            #expect(asset.modified <= Int(Date().timeIntervalSince1970))
        }
    }

    @Test func aRangeOfAnotherVersionIsTheWholeFile() throws {
        let asset = try self.asset
        func status(_ condition: String) -> HTTPResponseStatus {
            asset.response(to: .GET, ["Range": "bytes=0-3", "If-Range": condition]).status
        }
        #expect(status(asset.entityTag) == .partialContent)
        #expect(status(HTTPDate.string(1_000)) == .partialContent)
        #expect(status("W/" + asset.entityTag) == .ok)
        #expect(status("\"x\"") == .ok)
        #expect(status(HTTPDate.string(2_000)) == .ok)
    }

    @Test func aLongFileIsSentCompressedUnderATagOfItsOwn() throws {
        let long = String(repeating: "a line of text\n", count: 1_000)
        let asset = try #require(StaticAssets(files: ["a.txt": long]).asset(at: "/static/a.txt"))
        let response = asset.response(to: .GET, ["Accept-Encoding": "gzip"])
        #expect(response.headers.first(name: "content-encoding") == "gzip")
        #expect(response.headers.first(name: "etag") == asset.compressedEntityTag)
        #expect(response.headers["vary"] == ["Accept-Encoding"])
        #expect(asset.response(to: .GET, [:]).headers["vary"] == ["Accept-Encoding"])
        let part = asset.response(to: .GET, ["Accept-Encoding": "gzip", "Range": "bytes=0-5"])
        #expect(part.headers.first(name: "content-encoding") == nil)
        #expect(self.body(part) == "a line")
    }

    @Test func aFolderIsReadWholeWithoutHiddenFilesAndReadAgain() throws {
        try Self.withFolder { folder in
            try Self.write("index", to: folder, "index.html")
            try Self.write("body{}", to: folder, "css/a.css")
            try Self.write("secret", to: folder, ".git/config")
            let assets = try StaticAssets(directory: folder)
            #expect(assets.asset(at: "/") != nil)
            #expect(assets.asset(at: "/static/css/a.css")?.contentType == "text/css; charset=utf-8")
            #expect(assets.asset(at: "/static/.git/config") == nil)
            try Self.write("new", to: folder, "new.txt")
            try FileManager.default.removeItem(atPath: folder + "/css")
            try assets.reload()
            #expect(assets.asset(at: "/static/new.txt") != nil)
            #expect(assets.asset(at: "/static/css/a.css") == nil)
        }
    }

    @Test func linksThatLeaveTheFolderAreRefusedAndOthersFollowed() throws {
        try Self.withFolder { folder in
            try Self.write("a", to: folder, "a.txt")
            try FileManager.default.createSymbolicLink(atPath: folder + "/b.txt", withDestinationPath: "a.txt")
            let assets = try StaticAssets(directory: folder)
            #expect(assets.asset(at: "/static/b.txt") != nil)
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/c.txt", withDestinationPath: "/etc/hostname")
            #expect(throws: HTTPServiceError.self) { try assets.reload() }
            #expect(assets.asset(at: "/static/b.txt") != nil, "what there was stays")
        }
    }

    @Test func boundsAndAbsentFoldersAreErrors() throws {
        #expect(throws: HTTPServiceError.self) { try StaticAssets(directory: "/nonexistent") }
        try Self.withFolder { folder in
            try Self.write("12345", to: folder, "a.txt")
            try Self.write("12345", to: folder, "b.txt")
            #expect(throws: HTTPServiceError.self) { try StaticAssets(directory: folder, maximumTotalSize: 9) }
            #expect(throws: HTTPServiceError.self) { try StaticAssets(directory: folder, maximumFiles: 1) }
        }
    }

    private static func withFolder(_ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "nnmonitor-assets-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private static func write(_ text: String, to folder: String, _ name: String) throws {
        let url = URL(fileURLWithPath: folder + "/" + name)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }
}
