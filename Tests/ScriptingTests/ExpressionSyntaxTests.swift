import Scripting
import Testing

@Suite struct ExpressionSyntaxTests {
    @Test(arguments: [
        "{{ $json.a + }}", "{{ ($json.a }}", "{{ $json.a) }}", "{{ $json['a }}", "{{ [1, 2 }}", "{{ $json.a b }}", "{{ 'a' 'b' }}", "{{ $json. }}",
        "{{ * 2 }}", "{{ f(1 +) }}", "{{ `a ${ $json.b` }}", "{{ a ? b : }}", "{{ {a: 1 }}", "{{ (x => x.y. ) }}", "{{ /a }}", "{{ 1 /* }}",
        "{{ $json.a ?? }}", "{{ foo(bar baz) }}", "{{ $json.a }"
    ])
    func `what cannot be evaluated is found`(_ text: String) {
        #expect(Expressions.syntaxFault(in: "=" + text) != nil)
        #expect(Expressions.syntaxFault(in: text) == nil, "a text without = is no expression")
    }

    @Test(arguments: [
        "plain", "{{ }}", "{{ $json.a }} and {{ $json['b c'] }}", "{{ (() => { const a = 1; return a / 2 / 3; })() }}",
        "{{ `a ${ `b ${ 1 + 1 }` } {c}` }}", "{{ $json.t.replace(/[/\\]]+\"/g, '') }}",
        "{{ a\n  .map(x => ({ ...x, b: [1,,2] }))\n  .filter(Boolean) }}",
        "{{ typeof $json.a === 'string' ? new Date($json.a) : 'b' in $json }}", "{{ $json.a // why\n }}", "{{ ({ if: 1, new: 2 }).if }}",
        "{{ async () => { for (const x of [1]) { await x } } }}", "{{ x = 1, y++ }}", "{{ $json['ä'].größe }}", "{{ 'it\\'s' + \"\\\"\" }}",
        "{{ (function f(a, b) { if (a) return b\n else return -a })(1, 2); }}", "{{ !(a && b) || ~c }}", "{{ a?.b?.[0]?.(1) }}", "{{ .5 + 1.5e3 }}",
        "{{ let a = 1; a }}", "{{ String.raw`x` }}", "{{ class A { static get x() { return 1 } } }}"
    ])
    func `what can be evaluated passes`(_ text: String) {
        let fault = Expressions.syntaxFault(in: "=" + text)
        #expect(fault == nil)
    }
}
